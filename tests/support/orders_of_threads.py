"""All schedules of a program, and all that the reduced search runs of them: as sets of orders, with their ends."""

from functools import partial

from simcore.control.orders import Guide, Orders, Past
from simcore.control.running import Options, Question, answer
from simcore.control.workers import Workers


def order_of(outcome):
    """Return what tells the order of a run, and its end, from others: each step with all that comes before it."""
    steps, marks, count = outcome.observation.events, [], {}
    past = Past(steps)
    for number, step in enumerate(steps):
        count[step.key[0]] = count.get(step.key[0], 0) + 1
        before = frozenset(mark for n, mark in enumerate(marks) if past.before[number] >> n & 1)
        marks.append(hash((step.key, count[step.key[0]], step.label, step.waited, before)))
    return outcome.how, frozenset(marks)


def reduced(body, most, **options):
    """Return the orders that the reduced search runs, how many runs it took, and whether those were all."""
    orders, found = Orders(), set()
    with Workers(partial(answer, body)) as workers:
        while (guide := orders.guide()) is not None:
            if orders.runs == most:
                return found, orders.runs, False
            outcome = workers.ask(Question(Options(**options), guide=guide, observe=True, stay=True), fresh=False)
            orders.ran(outcome.observation, outcome.how == "redundant")
            if outcome.how != "redundant":
                found.add(order_of(outcome))
    return found, orders.runs, True


def whole(body, most, **options):
    """Return the orders of all schedules, how many there are, and whether those were all."""
    found, runs, path, left = set(), 0, [], []
    with Workers(partial(answer, body)) as workers:
        while runs < most:
            guide = Guide(path=tuple(path))
            outcome = workers.ask(Question(Options(**options), guide=guide, observe=True, stay=True), fresh=False)
            runs += 1
            found.add(order_of(outcome))
            steps = outcome.observation.events
            left += [[key for key in step.enabled if key != step.key] for step in steps[len(left) :]]
            while left and not left[-1]:
                left.pop()
            if not left:
                return found, runs, True
            path = [step.key for step in steps[: len(left) - 1]] + [left[-1].pop()]
    return found, runs, False
