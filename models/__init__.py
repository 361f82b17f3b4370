"""Known hangs, one file each, with ``buggy()`` and ``fixed()``; the file's name is the bug's, or the pattern's."""
