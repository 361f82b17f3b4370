"""A function is run on its syntax tree; every step of it cannot tell names apart, or the run is given up.

What is done to values is in `steps.py`; here are the ways that a run takes. Which way that is depends on truths, which
names do not change. A comprehension binds nothing outside of itself, so what it makes of an element depends on that
element alone; a loop over a set, which could remember what came before, is given up.

Where a run of Python stops early, at the first that is true, all of it is run here: another order could stop later.
What would raise, here or later, gives the run up.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from types import FunctionType
from typing import Any

from simcore.explore.reduction.scope import Frame, bound, paired
from simcore.explore.reduction.steps import (
    CALLED,
    CONSUMING,
    KINDS,
    METHODS_OF_SETS,
    MOST_STEPS,
    NUMBERS,
    OF_ONE,
    SEQUENCES,
    SETS,
    Bag,
    Unknown,
    binary,
    collected,
    compared,
    for_a_set,
    in_turn,
    nameless,
    truth,
)
from simcore.explore.reduction.written import written

_DEEPEST = 20  # calls inside of calls

_BREAK, _CONTINUE = object(), object()


class Run:
    """One run of a function and of those that it calls."""

    def __init__(self) -> None:
        self.left, self.deep = MOST_STEPS, 0

    def call(self, fn: FunctionType, args: Sequence[Any]) -> Any:
        """Return what ``fn`` gives for ``args``: a value, or a `Bag`.

        Raises
        ------
        Unknown
            When a step is met of which it is not known that it is natural, or that raises.
        """
        try:
            return self._called(fn, args)
        except Exception as error:  # also of what Python would not have come to
            raise Unknown from error

    def _called(self, fn: FunctionType, args: Sequence[Any]) -> Any:
        node = written(fn)
        if node is None or self.deep == _DEEPEST:
            raise Unknown
        code = fn.__code__
        frame = Frame(fn, {*code.co_varnames, *code.co_cellvars}, bound(fn, node.args, args))
        self.deep += 1
        given = self.value(node.body, frame) if isinstance(node, ast.Lambda) else self._function(node.body, frame)
        self.deep -= 1
        return given

    def _function(self, body: list[ast.stmt], frame: Frame) -> Any:
        ended = self._block(body, frame)
        return ended[0] if type(ended) is tuple else None

    # ---- statements ----------------------------------------------------------------------------------

    def _block(self, body: list[ast.stmt], frame: Frame) -> Any:
        """Return what ends a block before its end: break, continue, or a tuple of what is returned; or None."""
        for statement in body:
            case = _STATEMENTS.get(type(statement))
            if case is None:
                raise Unknown
            self._count()
            ended = case(self, statement, frame)
            if ended is not None:
                return ended
        return None

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Unknown

    def _return(self, node: Any, frame: Frame) -> Any:
        return (None if node.value is None else self.value(node.value, frame),)

    def _if(self, node: Any, frame: Frame) -> Any:
        return self._block(node.body if self._holds(node.test, frame) else node.orelse, frame)

    def _while(self, node: Any, frame: Frame) -> Any:
        return self._loop(node, frame, iter(lambda: self._holds(node.test, frame), False))

    def _for(self, node: Any, frame: Frame) -> Any:
        items, ordered = self._walked(node.iter, frame)
        if not ordered:
            raise Unknown

        def turns() -> Iterator[None]:
            for item in items:
                self._bind(node.target, item, frame)
                yield

        return self._loop(node, frame, turns())

    def _loop(self, node: Any, frame: Frame, turns: Iterator[Any]) -> Any:
        """Take as many turns as there are, and what comes behind them unless one of them has broken off."""
        for _ in turns:
            self._count()
            ended = self._block(node.body, frame)
            if ended is _BREAK:
                return None
            if type(ended) is tuple:
                return ended
        return self._block(node.orelse, frame)

    def _assign(self, node: Any, frame: Frame) -> None:
        value = self.value(node.value, frame)
        for target in node.targets:
            self._bind(target, value, frame)

    def _assign_more(self, node: Any, frame: Frame) -> None:
        if not isinstance(node.target, ast.Name):
            raise Unknown
        old = self.value(node.target, frame)
        if type(old) in (list, set, Bag):  # which would be changed, wherever else it is
            raise Unknown
        frame.bind(node.target.id, binary(type(node.op), old, self.value(node.value, frame)))

    def _assign_annotated(self, node: Any, frame: Frame) -> None:
        if node.value is None or not node.simple:
            raise Unknown
        self._bind(node.target, self.value(node.value, frame), frame)

    def _assert(self, node: Any, frame: Frame) -> None:
        if not self._holds(node.test, frame):
            raise Unknown

    def _said(self, node: Any, frame: Frame) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            raise Unknown

    def _bind(self, target: ast.expr, value: Any, frame: Frame) -> None:
        if isinstance(target, ast.Name):
            frame.bind(target.id, value)
            return
        if not isinstance(target, ast.Tuple | ast.List):
            raise Unknown
        items, ordered = in_turn(value)
        if not ordered:
            raise Unknown
        for part, item in paired(target.elts, [*items]):
            self._bind(part, item, frame)

    # ---- expressions ---------------------------------------------------------------------------------

    def value(self, node: ast.expr, frame: Frame) -> Any:
        """Return what an expression gives."""
        case = _EXPRESSIONS.get(type(node))
        if case is None:
            raise Unknown
        self._count()
        return case(self, node, frame)

    def _data(self, node: ast.expr, frame: Frame) -> Any:
        """Return what an expression gives, which must be a value."""
        given = self.value(node, frame)
        if type(given) is Bag:
            raise Unknown
        return given

    def _holds(self, node: ast.expr, frame: Frame) -> bool:
        return truth(self.value(node, frame))

    def _name(self, node: Any, frame: Frame) -> Any:
        found = frame.get(node.id)
        if node.id not in frame.values and not nameless(found):
            raise Unknown
        return found

    def _constant(self, node: Any, frame: Frame) -> Any:
        if not nameless(node.value):
            raise Unknown
        return node.value

    def _either(self, node: Any, frame: Frame) -> Any:
        return self.value(node.body if self._holds(node.test, frame) else node.orelse, frame)

    def _and_or(self, node: Any, frame: Frame) -> Any:
        ends = isinstance(node.op, ast.Or)
        given = None
        for part in node.values:
            given = self.value(part, frame)
            if part is not node.values[-1] and truth(given) is ends:
                break
        return given

    def _unary(self, node: Any, frame: Frame) -> Any:
        given = self.value(node.operand, frame)
        if isinstance(node.op, ast.Not):
            return not truth(given)
        if type(given) is not int:
            raise Unknown
        return OF_ONE[type(node.op)](given)

    def _binary(self, node: Any, frame: Frame) -> Any:
        return binary(type(node.op), self.value(node.left, frame), self.value(node.right, frame))

    def _compare(self, node: Any, frame: Frame) -> bool:
        left = self.value(node.left, frame)
        for asked, part in zip(node.ops, node.comparators, strict=True):
            right = self.value(part, frame)
            if not compared(type(asked), left, right):
                return False
            left = right
        return True

    def _subscript(self, node: Any, frame: Frame) -> Any:
        of, at = self.value(node.value, frame), self._place(node.slice, frame)
        if type(of) not in (tuple, list, range):
            raise Unknown
        return of[at]

    def _place(self, node: ast.expr, frame: Frame) -> Any:
        if isinstance(node, ast.Slice):
            ends = [part and self._data(part, frame) for part in (node.lower, node.upper, node.step)]
            if any(end is not None and type(end) not in NUMBERS for end in ends):
                raise Unknown
            return slice(*ends)
        at = self._data(node, frame)
        if type(at) not in NUMBERS:
            raise Unknown
        return at

    def _display(self, node: Any, frame: Frame) -> Any:
        """Put together what is in ``(...)``, ``[...]`` or ``{...}``."""
        items: list[Any] = []
        ordered = True
        for part in node.elts:
            if isinstance(part, ast.Starred):
                more, same = in_turn(self.value(part.value, frame))
                items += more
                ordered = ordered and same
            else:
                items.append(self._data(part, frame))
        return collected(KINDS[type(node)], items, ordered)

    # ---- walks, and calls ----------------------------------------------------------------------------

    def _comprehension(self, node: Any, frame: Frame) -> Any:
        return collected(KINDS[type(node)], *self._made(node, frame))

    def _made(self, node: Any, frame: Frame) -> tuple[list[Any], bool]:
        """Return what a comprehension makes, and whether in an order that means something."""
        targets = {each.id for part in node.generators for each in ast.walk(part.target) if isinstance(each, ast.Name)}
        first = self._walked(node.generators[0].iter, frame)
        return self._through(node.elt, node.generators, first, frame.inside(targets))

    def _through(
        self, element: ast.expr, loops: list[ast.comprehension], walked: tuple[Sequence[Any], bool], frame: Frame
    ) -> tuple[list[Any], bool]:
        items, ordered = walked
        found = []
        for item in items:
            inner = frame.inside(())
            self._bind(loops[0].target, item, inner)
            if not all(self._holds(test, inner) for test in loops[0].ifs):
                continue
            if len(loops) == 1:
                found.append(self._data(element, inner))
                continue
            more, same = self._through(element, loops[1:], self._walked(loops[1].iter, inner), inner)
            found += more
            ordered = ordered and same
        return found, ordered

    def _walked(self, node: ast.expr, frame: Frame) -> tuple[Sequence[Any], bool]:
        """Return what a walk meets, and whether in an order that means something."""
        called = self._asked(node, frame)
        if not any(called is each for each in (enumerate, zip, reversed)):
            return in_turn(self.value(node, frame))
        walks = [self._walked(part, frame) for part in node.args]  # type: ignore[attr-defined]
        if node.keywords or not walks or not all(ordered for _, ordered in walks):  # type: ignore[attr-defined]
            raise Unknown
        return [*called(*(items for items, _ in walks))], True

    def _asked(self, node: ast.expr, frame: Frame) -> Any:
        """Return what a call by a name calls; None for everything else."""
        return frame.get(node.func.id) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else None

    def _call(self, node: Any, frame: Frame) -> Any:
        if node.keywords:
            raise Unknown
        if isinstance(node.func, ast.Attribute):
            return self._method(node, frame)
        fn = self._asked(node, frame)
        if type(fn) is FunctionType:
            return self._called(fn, [self.value(part, frame) for part in node.args])
        consumes = next((case for builtin, case in CONSUMING if builtin is fn), None)
        if consumes is not None and len(node.args) == 1:
            part = node.args[0]
            return consumes(*(self._made if isinstance(part, ast.GeneratorExp) else self._walked)(part, frame))
        case = next((case for builtin, case in CALLED if builtin is fn), None)
        if case is None:
            raise Unknown
        return case(*[self.value(part, frame) for part in node.args])

    def _method(self, node: Any, frame: Frame) -> Any:
        of, name = self.value(node.func.value, frame), node.func.attr
        args = [self.value(part, frame) for part in node.args]
        if type(of) in SETS and name in METHODS_OF_SETS:
            return getattr(of, name)(*map(for_a_set, args))
        if type(of) in SEQUENCES and name in ("count", "index") and all(type(arg) is not Bag for arg in args):
            return getattr(of, name)(*args)
        raise Unknown


_STATEMENTS: dict[type[ast.stmt], Callable[..., Any]] = {
    ast.Return: Run._return,
    ast.If: Run._if,
    ast.While: Run._while,
    ast.For: Run._for,
    ast.Break: lambda *_: _BREAK,
    ast.Continue: lambda *_: _CONTINUE,
    ast.Pass: lambda *_: None,
    ast.Assign: Run._assign,
    ast.AugAssign: Run._assign_more,
    ast.AnnAssign: Run._assign_annotated,
    ast.Assert: Run._assert,
    ast.Expr: Run._said,
}
_EXPRESSIONS: dict[type[ast.expr], Callable[..., Any]] = {
    ast.Name: Run._name,
    ast.Constant: Run._constant,
    ast.IfExp: Run._either,
    ast.BoolOp: Run._and_or,
    ast.UnaryOp: Run._unary,
    ast.BinOp: Run._binary,
    ast.Compare: Run._compare,
    ast.Subscript: Run._subscript,
    ast.Tuple: Run._display,
    ast.List: Run._display,
    ast.Set: Run._display,
    ast.ListComp: Run._comprehension,
    ast.SetComp: Run._comprehension,
    ast.Call: Run._call,
}
