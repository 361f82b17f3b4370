"""A module that starts a thread, at its top, which imports it."""

import threading

from threaded_kept import JOINS

loader = threading.Thread(target=__import__, args=(__name__,), name="loader")
loader.start()
if JOINS:
    loader.join()
