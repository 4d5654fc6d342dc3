"""What can go wrong at GitHub, on demand."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ckanext.metastore.testing.github.log import Request
from ckanext.metastore.testing.github.problems import DOCUMENTATION, Problem

_ABOUT_LIMITS = f"{DOCUMENTATION}/using-the-rest-api/rate-limits-for-the-rest-api"


@dataclass
class Fault:
    """Which requests go wrong, and how.

    :ivar path: a regular expression that is searched for in the path with its query (REST: without ``/api/v3``)
    :ivar times: how many requests, or ``None``: all
    :ivar after: how many requests go well before
    :ivar status: answer this, do nothing
    :ivar body: the answer: JSON, or a text
    :ivar drop: close the connection without an answer: ``before`` anything is done, or ``after``
    :ivar truncate: half of the answer's body, then the connection is closed
    :ivar delay: seconds before anything is done
    :ivar hang: do nothing and keep the connection, until the fault is cleared or the server stops
    :ivar drip: seconds between two bytes of the answer
    :ivar hits: the requests that went wrong
    """

    method: str | None = None
    path: str = ""
    kind: Literal["rest", "git"] | None = None
    times: int | None = 1
    after: int = 0
    status: int | None = None
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: Literal["before", "after"] | None = None
    truncate: bool = False
    delay: float = 0.0
    hang: bool = False
    drip: float = 0.0
    hits: list[Request] = field(default_factory=list)

    def matches(self, request: Request) -> bool:
        """Tell whether the request is one of those that go wrong."""
        return (
            self.method in (None, request.method)
            and self.kind in (None, request.kind)
            and re.search(self.path, request.path) is not None
        )

    @classmethod
    def refusal(cls, status: int, message: str, *, headers: Mapping[str, str] | None = None, **where: Any) -> Fault:
        """Any status with GitHub's JSON."""
        return cls(status=status, body=Problem(status, message).body(), headers=headers or {}, **where)

    @classmethod
    def primary_limit(cls, *, reset_in: float = 60, status: int = 403, **where: Any) -> Fault:
        """The hour's requests are used up.

        :param reset_in: seconds until there are new ones
        """
        message = "API rate limit exceeded for user ID 1. If you reach out to GitHub Support for help, please include "
        reset = str(int(time.time() + reset_in))
        headers = {"x-ratelimit-remaining": "0", "x-ratelimit-used": "5000", "x-ratelimit-reset": reset}
        return cls._limited(status, message + "the request ID.", headers, where)

    @classmethod
    def secondary_limit(cls, *, retry_after: int | None = 60, status: int = 403, **where: Any) -> Fault:
        """Too much at once.

        :param retry_after: seconds, or ``None``: no such header
        """
        message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return cls._limited(status, message, headers, where)

    @classmethod
    def bad_credentials(cls, **where: Any) -> Fault:
        """The token was revoked this moment."""
        return cls.refusal(401, "Bad credentials", **where)

    @classmethod
    def not_found(cls, **where: Any) -> Fault:
        """Nothing is there, or nothing that one may see."""
        return cls.refusal(404, "Not Found", **where)

    @classmethod
    def conflict(cls, message: str = "Conflict", **where: Any) -> Fault:
        """Somebody else is at it."""
        return cls.refusal(409, message, **where)

    @classmethod
    def server_error(cls, status: int = 502, **where: Any) -> Fault:
        """GitHub has a bad day; with a page for people, as its front servers give it."""
        return cls(status=status, body="<html><body>Server Error</body></html>", **where)

    @classmethod
    def lost_answer(cls, **where: Any) -> Fault:
        """It was done, but nobody hears of it."""
        return cls(drop="after", **where)

    @classmethod
    def _limited(cls, status: int, message: str, headers: Mapping[str, str], where: Mapping[str, Any]) -> Fault:
        body = {"message": message, "documentation_url": _ABOUT_LIMITS, "status": str(status)}
        return cls(status=status, body=body, headers=headers, **where)


class Faults:
    """The faults that are still to come, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []
        self.cleared = threading.Event()

    def add(self, fault: Fault) -> None:
        """Let something go wrong."""
        with self._lock:
            self.cleared = threading.Event()
            self._waiting.append(fault)

    def clear(self) -> None:
        """Let all go well, and let go of those who hang."""
        with self._lock:
            self._waiting.clear()
            self.cleared.set()

    def take(self, request: Request) -> Fault | None:
        """Give the fault that this request meets, and count it."""
        with self._lock:
            fault = next((fault for fault in self._waiting if fault.matches(request)), None)
            if fault is None:
                return None
            if fault.after > 0:
                fault.after -= 1
                return None
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
            return fault
