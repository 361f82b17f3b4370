"""A row that is not even true at the start proves anything; the net says so before anything is derived from it."""

import pytest
from lawful import nested

from simcore.sizes.structure import net, prove
from simcore.sizes.structure.linear import ONE, plus


def with_a_wrong_row(monkeypatch, change):
    """Change the invariants about tasks, on purpose."""
    right = net.Net._invariants
    monkeypatch.setattr(net.Net, "_invariants", lambda self, number: [*map(change, right(self, number))])


def test_an_invariant_that_is_wrong_at_the_start_is_told(monkeypatch):
    """Less than no tasks at the start: without the guard the rows have no solution, which reads "never"."""
    with_a_wrong_row(monkeypatch, lambda each: plus(each, {ONE: -1000}))
    proved = prove(nested, depth=2)
    assert "[simcore internal bug] the initial state at clients=1, workers=1 does not satisfy" in proved.refused
    assert not proved.safe(clients=1, workers=1)


def test_without_the_guard_it_would_be_believed(monkeypatch):
    with_a_wrong_row(monkeypatch, lambda each: plus(each, {ONE: -1000}))
    monkeypatch.setattr(net.Net, "unmarked", lambda self, at: "")
    assert prove(nested, depth=2).safe(clients=3, workers=3), "which hangs"


def test_people_who_are_not_there_are_told(monkeypatch):
    """An equality is looked at from both sides."""
    right = net.Net.__post_init__

    def wrong(self):
        right(self)
        self.equal[:] = [plus(each, {ONE: 1}) for each in self.equal]

    monkeypatch.setattr(net.Net, "__post_init__", wrong)
    assert "does not satisfy" in prove(nested, depth=1).refused


@pytest.mark.parametrize("depth", range(1, 5))
def test_right_rows_pass(depth):
    assert not prove(nested, depth=depth).refused
