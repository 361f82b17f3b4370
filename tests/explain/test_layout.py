"""A report obeys nobody's names: what a terminal would obey is written, and the rest is wrapped and not cut."""

import pytest

from simcore import Model, explore
from simcore.explain import fit, in_a_line, printable

NASTY = ["\x1b[31mred", "\x07", "\r", "\u202eturned", "\u2028", "\x9b2J"]


@pytest.mark.parametrize("name", NASTY)
def test_no_name_reaches_the_terminal_as_a_command(name):
    model = Model(f"model {name}")
    one, other = model.lock(f"one {name}"), model.lock(f"other {name}")

    def take(first, second):
        yield first.acquire()
        yield second.acquire()

    model.process(f"left {name}", take, one, other)
    model.process(f"right {name}", take, other, one)
    told = str(explore(model))
    assert name not in told
    assert all(line.isprintable() for line in told.split("\n"))
    assert printable(name) in told


def test_what_can_be_read_stays_as_it_is():
    assert printable("größe → 漢字\n\tnext") == "größe → 漢字\n\tnext"
    assert in_a_line("a\nb\tc") == r"a\nb\tc"
    assert fit(["a\nb"]) == "a\nb"


@pytest.mark.parametrize("start", ["replay: simcore replay", "  replay at full size: simcore replay", "token"])
def test_what_is_there_to_be_copied_stays_in_one_line(start):
    line = f"{start} sc1-{'x' * 70}"
    assert fit([line]) == line
    assert "\n" in fit([f"somebody who is called {line.strip()}"])
