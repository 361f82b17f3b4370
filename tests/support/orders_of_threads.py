"""All schedules of a program, and all that the reduced search runs of them: as sets of orders, with their ends.

A process makes one run after the other until one leaves something behind, and is then forked anew.
"""

from functools import partial

from simcore.control.orders import Guide, Orders
from simcore.control.running import Options, Question, answer
from simcore.control.workers import Workers


def order_of(outcome):
    """Return what tells the order of a run, and its end, from others: each step with all that comes before it."""
    steps, marks, count = outcome.observation.events, [], {}
    for number, step in enumerate(steps):
        count[step.key[0]] = count.get(step.key[0], 0) + 1
        before = frozenset(mark for n, mark in enumerate(marks) if outcome.observation.past.before[number] >> n & 1)
        marks.append(hash((step.key, count[step.key[0]], step.label, step.waited, before)))
    return outcome.how, frozenset(marks)


class Reduced:
    """The search that runs each order once."""

    def __init__(self):
        self.orders = Orders()

    def guide(self):
        return self.orders.guide()

    def ran(self, outcome):
        self.orders.ran(outcome.observation, outcome.how == "redundant")


class Whole:
    """The search that runs each schedule."""

    def __init__(self):
        self.path, self.left, self.begun = [], [], False

    def guide(self):
        while self.left and not self.left[-1]:
            self.left.pop()
        if self.begun and not self.left:
            return None
        if self.begun:
            self.path = [*self.path[: len(self.left) - 1], self.left[-1].pop()]
        self.begun = True
        return Guide(path=tuple(self.path))

    def ran(self, outcome):
        steps = outcome.observation.events
        self.left += [[key for key in step.enabled if key != step.key] for step in steps[len(self.left) :]]
        self.path = [step.key for step in steps]


def several(body, asked, progress, leave):
    """Run one guide after the other; return the search, the orders, how many runs, and whether there are more."""
    search, options, most = asked
    found, runs = set(), []

    def told(outcome):
        runs.append(outcome.how)
        search.ran(outcome)
        if outcome.how != "redundant":
            found.add(order_of(outcome))
        return search, found, len(runs)

    while len(runs) < most and (guide := search.guide()) is not None:
        question = Question(options, guide=guide, observe=True)
        outcome = answer(body, question, progress, lambda outcome: leave(told(outcome)))
        if not outcome.tidy:
            return told(outcome)
        told(outcome)
    return search, found, len(runs)


def orders(search, body, most, **options):
    """Return the orders that a search runs, how many runs it took, and whether those were all."""
    found, runs = set(), 0
    with Workers(partial(several, body)) as workers:
        while runs < most:
            search, some, more = workers.ask((search, Options(**options), most - runs))
            found |= some
            runs += more
            if not more:
                return found, runs, True
    return found, runs, False


def reduced(body, most, **options):
    """Run each order once."""
    return orders(Reduced(), body, most, **options)


def whole(body, most, **options):
    """Run each schedule."""
    return orders(Whole(), body, most, **options)
