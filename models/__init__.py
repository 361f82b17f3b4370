"""Known hangs, one file each, every one with ``buggy()`` and ``fixed()``; the file's name is the bug's."""
