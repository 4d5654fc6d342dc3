"""What was asked and answered."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

_KEPT = 100_000


@dataclass(frozen=True)
class Request:
    """One request.

    :ivar kind: ``rest`` or ``git``
    :ivar path: with the query; a REST path without ``/api/v3``
    :ivar status: the answer's, or 0 where there was none
    :ivar user: the login, or ``app/N``; never a token
    :ivar is_probe: a POST that carries nothing: Git asks whether it may, before it sends a large pack
    """

    kind: str
    method: str
    path: str
    status: int
    user: str | None = None
    is_probe: bool = False

    @property
    def is_push(self) -> bool:
        """Whether it carries a pack to us."""
        return self.method == "POST" and self.path.endswith("/git-receive-pack") and not self.is_probe

    @property
    def is_fetch(self) -> bool:
        """Whether it opens a fetch, a clone or a listing of refs that is let in; further requests belong to it."""
        return self.path.endswith("/info/refs?service=git-upload-pack") and self.status == 200


@dataclass(frozen=True)
class Exchange:
    """A REST request and its answer in full, for whoever checks them. Made-up answers are none of the server's."""

    request: Request
    sent: bytes
    received: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Log:
    """The last requests, and those who look on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: deque[Request] = deque(maxlen=_KEPT)
        self.observers: list[Callable[[Exchange], None]] = []

    def add(self, request: Request) -> None:
        """Keep a request."""
        with self._lock:
            self._requests.append(request)

    def all(self) -> list[Request]:
        """Give the requests, oldest first."""
        with self._lock:
            return list(self._requests)

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._requests.clear()

    def tell(self, exchange: Exchange) -> None:
        """Show an exchange to those who look on."""
        for observer in list(self.observers):
            observer(exchange)
