"""A module of the user's that keeps something: what a process changes here is outside of it."""

MODE = 0
ITEMS = []


def set_mode(mode):
    global MODE
    MODE = mode
