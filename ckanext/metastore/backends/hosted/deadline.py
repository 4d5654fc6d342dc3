"""For how long one call may talk to a Git host in all, however many requests it takes."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from ckanext.metastore.core.errors import Unavailable

T = TypeVar("T")

_end: ContextVar[float | None] = ContextVar("metastore_host_end", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Set the end for all that happens within. An end that is set already stands."""
    if _end.get() is not None:
        yield
        return
    token = _end.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _end.reset(token)


def running() -> bool:
    """Tell whether an end is set."""
    return _end.get() is not None


def remaining(default: float) -> float:
    """Give the seconds that are left.

    :raises Unavailable: there are none
    """
    end = _end.get()
    if end is None:
        return default
    left = end - time.monotonic()
    if left <= 0:
        raise Unavailable("the Git host has not answered in time")
    return left


def bounded(call: Callable[[], T], seconds: float, *, translated: Callable[[BaseException], Exception]) -> T:
    """Make a call that talks to a host, and wait for it no longer than that.

    The timeouts of HTTP clients count from one byte to the next, so that a server which drips could hold us for ever.

    :param translated: gives what the call raised as an error of ours
    :raises Unavailable: it took too long
    """
    left = remaining(seconds)
    outcome: list[Any] = []
    context = contextvars.copy_context()

    def run() -> None:
        try:
            outcome.append((context.run(call), None))
        except BaseException as error:
            outcome.append((None, translated(error)))

    thread = threading.Thread(target=run, daemon=True, name="metastore-host")
    thread.start()
    thread.join(left)
    if not outcome:
        raise Unavailable("the Git host's API has not answered in time")
    value, failure = outcome[0]
    if failure is not None:
        raise failure
    result: T = value
    return result
