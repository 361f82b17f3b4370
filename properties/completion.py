"""What has been begun is ended: not only can it be, it is, in every fair run."""

from __future__ import annotations

from simcore import ModelError, ProcessState, Property, State, eventually


def completes(*names: str) -> Property:
    """Require that every process called one of ``names``, or ``name[...]``, returns in the end.

    A liveness property under weak fairness: a process that stays enabled takes a step at some time. Its
    counterexample is a run that stops, or goes round for ever, with one of them not done. It comes from the
    end-to-end test of NVFlare #4172: before the fix 0 of 8 downloads succeed, after it 8 of 8.

    Parameters
    ----------
    *names : str
        Processes or families of processes: ``completes("download")`` is about ``download[0]``, ``download[1]``, ...

    Raises
    ------
    ModelError
        While exploring, when the model has no process for one of the names.
    """

    def all_done(state: State) -> bool:
        return all(process.done for name in names for process in family(state, name))

    if not names:
        raise ModelError('completes() needs the name of a process or of a family: completes("download")')
    return eventually(all_done, f"every {' and every '.join(names)} completes")


def family(state: State, name: str) -> list[ProcessState]:
    """Return the processes of ``state`` called ``name`` or ``name[...]``; raise `ModelError` if there is none."""
    found = [p for p in state.processes if p.name == name or p.name.startswith(f"{name}[")]
    if not found:
        state.process(name)  # says which processes there are
    return found
