"""A Markov chain that has the states of the model, one for one, under a uniformly random scheduler, for Storm.

Storm (Hensel, Junges, Katoen, Quatmann and Volk 2022, https://www.stormchecker.org) shares no code with simcore, so
when it solves ``P=? [F "hang"]`` to what `odds` says, the equations are solved right; and it can be asked more, an
expected number of steps say. What a step *means*, and in which states somebody hangs, is not judged anew: both are
read off the graph of a search. The format is DRN, Storm's own explicit one: a line for each state with its labels, and
one for each state that may follow with its probability, here a fraction of whole numbers, which ``--exact`` reads as
it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from simcore.errors import OptionError
from simcore.explain import in_a_line
from simcore.explore import Hanging, hanging
from simcore.kernel import Kernel
from simcore.model import Model, Timeouts, check_model, check_numbers, check_timeouts, with_parameters

_LONGEST = 200
"""Characters of a comment."""


class Chain(NamedTuple):
    """A chain in Storm's format.

    Attributes
    ----------
    text : str
        The file.
    states : int
        How many it has.
    labels : dict of str to int
        How many states have each of the labels "init", "hang", "done" and "raised".
    """

    text: str
    states: int
    labels: dict[str, int]


def storm(model: Model, *, timeouts: Timeouts = "when_stuck", max_states: int = 1_000_000) -> Chain:
    """Return ``model`` as a Markov chain in which every enabled step has the same probability, as `odds` has it.

    The first state is "init". In a state with the label "hang" somebody who must finish can never move again, or
    servers wait for each other for ever; "raised" is where a process has died of an exception; "done" where nobody has
    a step, nobody hangs and nobody has died. A state without steps is followed by itself. Storm knows of no label that
    no state has.

    Parameters
    ----------
    model : Model
        What to write down. All of its states are met first, without a reduction.
    timeouts : {"never", "when_stuck", "in_order", "anytime"}
        When time-outs may fire; see `Kernel`.
    max_states : int
        How many states it may have.

    Raises
    ------
    ModelError
        When the model cannot be run.
    OptionError
        When it has more states than that, or it is not known of all of them whether somebody hangs.
    """
    check_model(model, "storm")
    check_timeouts(timeouts)
    check_numbers(whole=True, least=1, none=False, max_states=max_states)
    found = hanging(Kernel(model, timeouts), max_states)
    if found is None:
        raise OptionError(f"model {model.name!r} has more than {max_states:,} states; raise `max_states`")
    if found.unknown:
        raise OptionError(f"model {model.name!r} has no such chain: {found.unknown}")
    labels = [_labels(found, state) for state in range(len(found.graph))]
    counts = Counter(label for each in labels for label in each)
    about = f"{with_parameters(model.name, model.origin)}; time-outs: {timeouts}"
    head = [f"// {_plain(about)}", "// every enabled step with the same probability"]
    head += [f"// {label}: {number} of the states" for label, number in counts.items()]
    size = str(len(labels))
    head += ["@type: DTMC", "@parameters", "", "@reward_models", "", "@nr_states", size, "@nr_choices", size, "@model"]
    text = "\n".join([*head, *_rows(found, labels), ""])
    return Chain(text, len(labels), {label: counts[label] for label in ("init", "hang", "done", "raised")})


def _labels(found: Hanging, state: int) -> list[str]:
    marks = {"init": state == 0, "hang": found.hangs[state], "raised": found.dies[state]}
    done = not (found.hangs[state] or found.dies[state] or found.graph.successors(state))
    return [label for label, marked in {**marks, "done": done}.items() if marked]


def _rows(found: Hanging, labels: list[list[str]]) -> Iterator[str]:
    """Yield the lines of each state: the states that follow are in order, and each is there once."""
    for state, names in enumerate(labels):
        yield " ".join(["state", str(state), *names])
        yield "\taction 0"
        steps = Counter(found.graph.successors(state)) or Counter([state])
        for target, number in sorted(steps.items()):
            yield f"\t\t{target} : " + ("1" if len(steps) == 1 else f"{number}/{steps.total()}")


def _plain(text: str) -> str:
    """Return a text as a comment: in one line, not too long."""
    told = in_a_line(text)
    return told if len(told) <= _LONGEST else f"{told[: _LONGEST - 3]}..."
