"""Names that differ in one number are told together: "a[0], a[1], a[2], b" is "a[0..2], b"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_NUMBER = re.compile(r"\[(\d+)\]")
LONGEST = 80


def pattern(text: str) -> str:
    """Return ``text`` with its numbers in brackets taken out."""
    return _NUMBER.sub("[*]", text)


def mergeable(text: str) -> bool:
    """Tell whether texts that differ in their numbers alone can be told as one: each has one number, or none."""
    return len(set(_NUMBER.findall(text))) <= 1


def summary(names: Iterable[str]) -> str:
    """Shorten "a[0], a[1], a[2], b" to "a[0..2], b"."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(pattern(name), []).append(name)
    parts = []
    for same, members in groups.items():
        numbers = [_NUMBER.findall(member) for member in members]
        if len(set(members)) == 1 or any(len(set(found)) != 1 for found in numbers):
            parts += [f"{count}x {member}" if count > 1 else member for member, count in Counter(members).items()]
            continue
        parts.append(same.replace("[*]", f"[{_ranges({int(found[0]) for found in numbers})}]"))
    return ", ".join(parts)


def together(phrases: Iterable[str]) -> str:
    """Shorten "for the result of a, for the result of b" to "for the result of a, b"."""
    words = [phrase.split(" ") for phrase in phrases]
    lead = 0
    while all(len(each) > lead + 1 and each[lead] == words[0][lead] for each in words):
        lead += 1
    return " ".join([*words[0][:lead], summary(" ".join(each[lead:]) for each in words)])


def _ranges(numbers: set[int]) -> str:
    """Return 0, 1, 2, 5 as "0..2,5"."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and parts[-1][-1] == number - 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ",".join(f"{run[0]}..{run[-1]}" if len(run) > 1 else str(run[0]) for run in parts)


def shortened(text: str, longest: int = LONGEST) -> str:
    """Return ``text``, or as much of it as a reader wants to see in the middle of a sentence."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
