"""TLS waits inside of C code; it is shown a socket that does not block, and whoever would wait there waits here."""

from __future__ import annotations

import _ssl
import select
from collections.abc import Callable
from ssl import SSLWantReadError, SSLWantWriteError
from typing import Any

from simcore.control.net import SOCKET, until
from simcore.control.primitives import here

TLS: Any = _ssl._SSLSocket  # type: ignore[attr-defined]
_limit, _set_limit, _fileno = SOCKET.gettimeout, SOCKET.settimeout, SOCKET.fileno


def _waiting(name: str) -> Callable[..., Any]:
    original = TLS.__dict__[name]

    def operation(self: Any, /, *args: Any) -> Any:
        found, owner = here(), self.owner
        if found is None or not isinstance(owner, SOCKET) or _fileno(owner) < 0:
            return original(self, *args)
        run, thread = found
        limit = _limit(owner)
        run.point(thread, f"tls.{name}", owner)
        if limit == 0:
            return original(self, *args)
        by = None if limit is None else run.now + limit
        while True:
            _set_limit(owner, 0.0)
            try:
                return original(self, *args)
            except SSLWantReadError:
                events = select.POLLIN
            except SSLWantWriteError:
                events = select.POLLOUT
            finally:
                if _fileno(owner) >= 0:
                    _set_limit(owner, limit)
            until(found, owner, f"tls.{name}", events, limit, by)

    return operation


METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    TLS: {name: _waiting(name) for name in ("do_handshake", "read", "write", "shutdown")}
}
