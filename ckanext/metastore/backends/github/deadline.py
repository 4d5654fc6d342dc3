"""For how long one call may talk to GitHub in all, however many requests it takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ckanext.metastore.core.errors import Unavailable

_end: ContextVar[float | None] = ContextVar("metastore_github_end", default=None)


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
        raise Unavailable("GitHub has not answered in time")
    return left
