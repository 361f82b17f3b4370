"""An error comes back from another process as it was raised there."""

import copy
import pickle

import pytest

from simcore import errors

RAISED = {
    errors.MissingExtra: ("plots", "simcore page", "matplotlib"),
    errors.Diverged: (3, "left.acquire() of a", ["b acquires left", "c begins"]),
}


def kinds_of(kind):
    return [kind, *(each for below in kind.__subclasses__() for each in kinds_of(below))]


@pytest.mark.parametrize("kind", [each for each in kinds_of(errors.SimcoreError) if each.__module__ == errors.__name__])
@pytest.mark.parametrize("again", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_an_error_that_crosses_processes_is_as_it_was(kind, again):
    raised = kind(*RAISED.get(kind, ("pool: size 0; a pool has at least one worker",)))
    raised.add_note("while a sweep was at workers=0")
    received = again(raised)
    assert type(received) is kind
    assert str(received) == str(raised)
    assert vars(received) == vars(raised)
    assert getattr(received, "name", None) == getattr(raised, "name", None)
