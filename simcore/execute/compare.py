"""Whether something of a real run is the same as something of the kernel's.

They agree by value, except that futures made by submits are different objects: which real one stands for
which of the kernel's is learned where the submit is matched.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from simcore.errors import ModelError
from simcore.kernel.freeze import Unfreezable, freeze
from simcore.model.objects import Future, Task
from simcore.model.operations import Operation, Raised


class Handles:
    """Futures of a real run, and those of the kernel that they stand for."""

    def __init__(self) -> None:
        self._stands_for: dict[Future, Future] = {}

    def learn(self, operation: Operation, real: Any, kernel: Any) -> None:
        """Note what a matched submit has made."""
        if operation.name in operation.target.creates and isinstance(real, Future):
            self._stands_for[real] = kernel

    def same(self, real: Any, kernel: Any) -> bool:
        """Compare by value, futures by what they stand for."""
        if real is kernel:
            return True
        if isinstance(real, Future):
            return self._stands_for.get(real) is kernel
        if type(real) is not type(kernel):
            return False
        if isinstance(real, str | bytes | int):
            return bool(real == kernel)
        if isinstance(real, Operation):
            return self.same_operation(real, kernel)
        if isinstance(real, Task):  # the kernel drops a future that nobody can ask for
            return self.same((real.fn, real.args), (kernel.fn, kernel.args))
        if isinstance(real, Raised):
            return all(self.same(getattr(real, f.name), getattr(kernel, f.name)) for f in fields(real))
        if isinstance(real, tuple):
            return len(real) == len(kernel) and all(map(self.same, real, kernel))
        if is_dataclass(real):
            return all(self.same(getattr(real, f.name), getattr(kernel, f.name)) for f in fields(real))
        try:
            return bool(freeze(real) == freeze(kernel))
        except (Unfreezable, ModelError):
            return False

    def same_operation(self, real: Operation, kernel: Operation) -> bool:
        """Tell whether they are the same step."""
        return (
            real.name == kernel.name
            and real.timeout == kernel.timeout
            and self.same(real.target, kernel.target)
            and self.same(real.args, kernel.args)
        )
