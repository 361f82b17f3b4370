"""What is told of a search that went on from its file: all that must be as if nothing had happened."""


def told(result):
    found = result.counterexample
    return (
        (result.verdict, result.property, result.states, result.transitions, result.depth, result.strategy),
        [n for n in result.notes if not n.startswith(("resumed", "checkpoint"))],
        None if found is None else (found.schedule.steps, found.lasso, found.shortest, found.no_return, found.lost),
    )
