"""Takes a second to import, and uses a thread for it."""

import threading
import time

thread = threading.Thread(target=lambda: None)
thread.start()
thread.join()
time.sleep(1)
