"""A report fits 80 columns, and what is to be copied is never cut.

The same text is printed everywhere, so it is wrapped where it is made, for the narrowest terminal there is. A name of a
model may have any character, and a terminal obeys some of them, so these are written as Python writes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from textwrap import wrap
from unicodedata import category

WIDTH = 80
_STEP = re.compile(r" *\d+  \S.*?  +(?=\S)")
_TO_COPY = ("replay: ", "replay at full size: ", "token ")
_WIDEST = 44  # columns before the words of a step; beyond it there would be no room for them


_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")  # controls, what turns the direction of writing, halves of characters


def printable(text: str) -> str:
    """Return ``text`` with what cannot be seen, or would turn what stands behind it round, written as Python does."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(repr(one)[1:-1] if one not in "\n\t" and category(one) in _UNSEEN else one for one in text)


def in_a_line(text: str) -> str:
    """Return ``text`` as `printable` does, with the ends of its lines written, too."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def fit(lines: Iterable[str], width: int = WIDTH) -> str:
    """Return ``lines`` as a text of at most ``width`` columns, where words allow it."""
    return "\n".join(part for line in lines for one in line.split("\n") for part in _wrapped(printable(one), width))


def _wrapped(line: str, width: int) -> list[str]:
    if len(line) <= width or line.lstrip().startswith(_TO_COPY):
        return [line]
    margin = " " * _margin(line)
    indent = line[: len(line) - len(line.lstrip())]
    return wrap(
        line.strip(),
        width,
        initial_indent=indent,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
        replace_whitespace=False,
    )


def _margin(line: str) -> int:
    """Return where the second line of ``line`` begins: below the words of a step, or a little to the right."""
    step = _STEP.match(line)
    if step is not None and step.end() <= _WIDEST:
        return step.end()
    return len(line) - len(line.lstrip()) + 4
