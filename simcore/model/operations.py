"""A process does nothing but yield operations, and an operation is a guarded pure function on one value.

This file is the whole contract between a model and whatever runs it. A process yields an `Operation`;
the object it targets says, as a pure function of its value, what may happen:

* no `Outcome`: the operation is blocked, and the process waits;
* one: the object takes the new value and the process is given the result;
* several: any of them may happen, and that is nondeterminism which is not scheduling.

Nothing here knows about threads, clocks, searches or processes' code.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from simcore.errors import ModelError, NoSuchOperation
from simcore.model.listing import listed
from simcore.model.making import in_process, mistake, note, refuse_in_process
from simcore.model.raised import Raised as Raised
from simcore.model.spelling import call
from simcore.model.spelling import plain as plain
from simcore.model.spelling import shown as shown
from simcore.model.spelling import shown_value as shown_value
from simcore.model.values import NO_VALUES, SIMPLE, no_value

Value = Hashable
"""What an object holds: immutable, hashable, compared by value."""

LONGEST = 9_223_372_036
"""Seconds of the longest wait there is, `threading.TIMEOUT_MAX` on 64 bits: CPython raises OverflowError above it."""


@listed(without="rests")
@dataclass(frozen=True, slots=True, weakref_slot=True)
class Operation:
    """One step that a process is about to take on one object.

    In a process it has no truth value, compares with nothing, and has nothing of what `yield` gives in its place: who
    asks for that there has forgotten the ``yield``.

    Parameters
    ----------
    target : SharedObject
        The object whose value it reads and replaces.
    name : str
        The operation's name, as in the standard library (``"acquire"``).
    args : tuple
        Hashable arguments.
    timeout : float, optional
        Seconds after which the operation gives up. None waits for ever.
    """

    target: SharedObject
    name: str
    args: tuple[Any, ...] = ()
    timeout: float | None = None

    def __post_init__(self) -> None:
        if self.timeout is not None:
            check_seconds(self, self.timeout)
        if not SIMPLE.issuperset(map(type, self.args)):
            self._check_arguments()
        note(self)

    def _check_arguments(self) -> None:
        try:
            hash(self.args)
        except TypeError:
            raise ModelError(
                f"{self}: an argument is mutable, so two processes could change it behind the kernel's back; "
                f"pass a tuple, a frozenset or a frozen dataclass"
            ) from None
        wrong = no_value(self.args)
        if wrong:
            raise mistake(ModelError(f"{self}: an argument is {wrong}"))

    def __bool__(self) -> bool:
        refuse_in_process(f"{self} is an operation, which is neither true nor false; write `(yield ...)`")
        return True

    def __eq__(self, other: object) -> bool:
        refuse_in_process(f"{self} is an operation, which is equal to nothing; write `(yield ...) == ...`")
        return isinstance(other, Operation) and self._parts == other._parts

    @property
    def _parts(self) -> tuple[Any, ...]:
        return self.target, self.name, self.args, self.timeout

    if not TYPE_CHECKING:  # a type checker finds such a mistake by itself

        def __getattr__(self, name: str) -> Any:
            if not in_process() or name.startswith("__"):  # Python's own, for which a message asks as well
                raise AttributeError(name)
            raise mistake(
                NoSuchOperation(
                    f"{self} is an operation, and has no {name!r}; `yield` it first, and use what that gives"
                )
            )

    @property
    def rests(self) -> bool:
        """Whether a process that waits in it owes nothing: it has not been started."""
        return self.name in self.target.rests

    def __str__(self) -> str:
        return self.target.call(self.name, self.args)


NO_VALUES[Operation] = "an operation that was not yielded; use what `yield` gives"

ProcessGenerator = Generator[Operation, Any, Any]
"""What a process function returns when it is called: ``def take(lock: Lock) -> ProcessGenerator``."""


def check_seconds(whose: object, seconds: Any) -> None:
    """Refuse what a wait of the standard library would refuse, or would take for something else, on some Python.

    An int or a float it is on all of them; a `Decimal` or a `Fraction` on some, in some operations. Infinity raises
    OverflowError, as does all that is above `LONGEST`. A number below 0 is no wait for an event, a ValueError for a
    queue, and for ever (-1) for a lock: nobody means all three.
    """
    if not isinstance(seconds, int | float) or not seconds >= 0:
        wrong = f"a time-out is a number of seconds, an int or a float of at least 0, not {seconds!r}"
        raise mistake(ModelError(f"{whose}: {wrong}; use None to wait for ever"))
    if seconds > LONGEST:
        given = f"{seconds:g}" if isinstance(seconds, float) else f"about 2**{seconds.bit_length() - 1}"
        wrong = f"CPython raises OverflowError for a wait of {given} seconds, more than {LONGEST}"
        remedy = "to wait for ever use None for a time-out, and an event that nobody sets in place of a sleep"
        raise mistake(ModelError(f"{whose}: {wrong}; {remedy}"))


def _returned(method: Any) -> Any:
    """Return what ``method`` says it returns, as it is written."""
    return getattr(method, "__annotations__", {}).get("return")


class Outcome(NamedTuple):
    """One way in which an operation may happen: the object's next value, and the process's result.

    The result is any immutable value, or a `Raised` (an exception is thrown into the process), or an
    `Operation` on the same object: then the process goes on to wait for that one before it sees a result
    (``Condition.wait`` releases, and then acquires again).
    """

    value: Value
    result: Any = None


Outcomes = tuple[Outcome, ...]
BLOCKED: Outcomes = ()


def pairs(*of: tuple[str, str]) -> frozenset[frozenset[str]]:
    """Return pairs of names of operations in which order does not count."""
    return frozenset(map(frozenset, of))


class Ends(NamedTuple):
    """Words for a report about who waits: what for, with ``{at}`` for the object, and what would end it.

    ``wants`` stands behind "waits", ``do`` behind "might", ``does`` behind "nobody", ``done`` behind "has".
    """

    wants: str
    do: str
    does: str
    done: str


class Wait(NamedTuple):
    """Whom a blocked operation waits for, as far as the object's value tells.

    ``processes`` could end it (a lock's owner); when it is empty, whoever may still perform one of the
    operations named in ``enabled_by`` could.
    """

    enabled_by: frozenset[str]
    processes: tuple[Any, ...] = ()


@dataclass(eq=False)
class SharedObject:
    """A named thing that processes share. Its meaning is a set of pure functions over its value.

    For an operation called ``acquire`` a subclass has a method ``acquire(...)`` that builds the
    `Operation`, and beside it ``do_acquire(value, process, ...)`` that says what may happen. An operation
    that does something else when its time is up has ``expire_acquire`` too.
    """

    name: str
    kind: ClassVar[str] = "object"
    creates: ClassVar[frozenset[str]] = frozenset()
    """Operations that make a new future; the kernel hands it over as the last argument."""
    enabled_by: ClassVar[dict[str, frozenset[str]]] = {}
    """For each operation that can block, the operations that may enable it."""

    commutes: ClassVar[frozenset[frozenset[str]]] = frozenset()
    """Pairs of operations of two processes that may change places: wherever both are enabled, neither blocks the
    other, and both orders give the same value and the same results."""

    names_processes: ClassVar[bool] = False
    """Whether its values mention processes, as a lock's owner; a symmetry must rename them there."""
    phrases: ClassVar[dict[str, str]] = {}
    """For reports: what a process does, with ``{at}`` for the object and ``{0}`` for the first argument."""

    questions: ClassVar[dict[str, str]] = {}
    """The same for operations that only look at it, and that tokens know by their names."""

    waits: ClassVar[dict[str, Ends]] = {}
    """For reports, for each operation that can block: what a process waits for, and what would end that."""

    spelled: ClassVar[dict[str, str]] = {}
    """What a model's author has written, for operations that are a part of another one and have names of their own."""

    carries: ClassVar[frozenset[str]] = frozenset()
    """Operations that give a value which somebody else has put there, so that True and None are values like others."""
    rests: ClassVar[frozenset[str]] = frozenset()
    """Operations in which a process that waits owes nothing: it stands for a thread that is not there yet."""

    arriving: ClassVar[frozenset[str]] = frozenset()
    """Operations that take what another one has put under way: in virtual time, once it has arrived."""

    index: int = field(default=-1, init=False)
    """Position in the state, set by the model."""

    @property
    def initial(self) -> Value:
        """The value before the first step."""
        raise NotImplementedError

    def outcomes(self, value: Value, operation: Operation, process: Any, *fresh: Any) -> Outcomes:
        """Return everything that may happen when ``process`` performs ``operation`` at ``value``."""
        outcomes: Outcomes = getattr(self, "do_" + operation.name)(value, process, *operation.args, *fresh)
        return outcomes

    def expired(self, value: Value, operation: Operation, process: Any) -> Outcomes:
        """Return what happens when the time-out of a blocked ``operation`` fires."""
        expire: Callable[..., Outcomes] = getattr(self, "expire_" + operation.name)
        return expire(value, process, *operation.args)

    def tries(self, operation: Operation) -> bool:
        """Tell whether ``operation`` gives up at once where it would have to wait."""
        return operation.timeout == 0

    def gate(self, operation: Operation) -> tuple[Any, ...]:
        """Return which of its arguments may decide whether ``operation`` is blocked."""
        return operation.args

    def repeats(self, operation: Operation) -> bool:
        """Tell whether ``operation`` may change places with one of another process that has the same arguments.

        As for `commutes`: wherever both are enabled.
        """
        return False

    def blocked_on(self, value: Value, operation: Operation, process: Any) -> Wait:
        """Say whom ``process``, blocked in ``operation``, waits for."""
        return Wait(self.enabled_by.get(operation.name, frozenset()))

    def call(self, name: str, args: tuple[Any, ...] = ()) -> str:
        """Return the call that makes an operation, as its author wrote it: ``queue.get()``."""
        method = getattr(type(self), name, None)
        return call(method, f"{self.name}.{name}", args)

    def phrase(self, operation: Operation) -> str:
        """Say what a process does when it performs ``operation``: "acquires map_lock"."""
        template = self.phrases.get(operation.name) or self.questions.get(operation.name)
        return str(operation) if template is None else self._filled(template, operation)

    def recorded(self, operation: Operation) -> str:
        """Say the same as tokens do: what they have said stays as it is, or an old one could not be replayed."""
        words = list(map(plain, operation.args))
        template = self.phrases.get(operation.name)
        if template is None:
            return f"{self.name}.{operation.name}({', '.join(words)})"
        return template.format(*words, at=self.name)

    def _filled(self, template: str, operation: Operation) -> str:
        """Put into ``template`` the first argument as a value, and the others as those of a call."""
        first, *others = operation.args or ("",)
        return template.format(shown_value(first), *map(shown, others), at=self.name)

    def wants(self, operation: Operation) -> Ends:
        """Say what a process that is blocked in ``operation`` waits for, and what would end that."""
        words = self.waits.get(operation.name, Ends("for {at}", "end it", "ends it", "ended it"))
        return words._replace(wants=self._filled(words.wants, operation))

    def standing(self, value: Value, operation: Operation) -> str:
        """Say how full it is, of what a blocked ``operation`` waits for; nothing where that goes without saying."""
        return ""

    def tells(self, value: Value, operation: Operation, process: Any, result: Any) -> str:
        """Say in a schedule what ``operation`` gave, or did, at ``value``, where its phrase does not."""
        goes_without_saying = result is None or (result is True and operation.name in self.enabled_by)
        return "" if goes_without_saying and operation.name not in self.carries else shown_value(result)

    def occupancy(self, value: Value) -> tuple[int, int | None] | None:
        """Return (slots in use, slots there are or None for no limit), or None if it has no slots."""
        return None

    def looks_inside(self, operation: Operation) -> bool:
        """Tell whether what may happen depends on what is in values and arguments; a symmetry is tested there."""
        return False

    @property
    def slow(self) -> bool:
        """Whether what is put under way takes time to arrive: one may wait for it meanwhile, and give up."""
        return False

    def under_way(self, value: Value) -> int:
        """Return how many things were put under way and not taken yet; what is lost counts no more."""
        return 0

    def transit(self, operation: Operation) -> float:
        """Seconds of virtual time from ``operation`` until what it puts under way can be taken."""
        return 0.0

    def occupies(self, operation: Operation) -> float:
        """Seconds of virtual time, part of its transit, for which nothing else can be put under way."""
        return 0.0

    def normalised(self, value: Value) -> Value:
        """Return ``value`` as it is kept, after a symmetry has renamed processes in it."""
        return value

    def show(self, value: Value) -> str:
        """Describe ``value`` in a word or two, for reports."""
        return str(value)

    @property
    def offered(self) -> list[str]:
        """The names of the operations that a process may yield: of the methods that return one."""
        names = [name for name in dir(type(self)) if not name.startswith("_")]
        return sorted(name for name in names if _returned(getattr(type(self), name)) == "Operation")

    def __dir__(self) -> list[str]:
        """Return what a user may call or read: operations, and what the object was made with.

        All else is for the kernel and the drivers. Python's own names are left out, too: ``__enter__`` would promise
        that ``with`` works.
        """
        return sorted({*self.offered, *vars(self)} - {"index"})

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if not in_process() or name.startswith("__"):  # drivers and Python ask whether there is something
                raise AttributeError(name)
            raise mistake(
                NoSuchOperation(
                    f"{self.kind} {self.name!r} has no operation {name!r}; it has {', '.join(self.offered)}"
                )
            )

    def __bool__(self) -> bool:
        refuse_in_process(f"{self.kind} {self.name!r} is neither true nor false; yield what you ask, or ask `is None`")
        return True

    def __setattr__(self, name: str, value: Any) -> None:
        if in_process():
            if "name" not in vars(self):
                wrong = f"a {self.kind} is made in a process; make objects in the model function, and use them here"
            else:
                wrong = f"{self}.{name} = ...: it changes by what is yielded alone: {', '.join(self.offered)}"
            raise mistake(ModelError(wrong))
        super().__setattr__(name, value)

    def __enter__(self) -> Any:
        raise mistake(
            ModelError(
                f"with {self.name}: a process yields its operations, and ``with`` does not; write "
                f"`yield {self.name}.acquire()`, then try ... finally with `yield {self.name}.release()`"
            )
        )

    def __exit__(self, *_: object) -> None:
        """Never come to: `__enter__` raises."""

    def __str__(self) -> str:
        return self.name

    __repr__ = __str__
