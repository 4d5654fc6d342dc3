"""What GitHub's API answers when it does not do what was asked, as the metastore's errors.

:see: https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import requests
from github import GithubException

from ckanext.metastore.backends.github import deadline
from ckanext.metastore.core.errors import (
    Conflict,
    Invalid,
    MetastoreError,
    NotFound,
    RateLimited,
    Unauthorized,
    Unavailable,
)

T = TypeVar("T")

_SECONDARY_PAUSE = 60.0
"""Seconds to wait where GitHub asks for a pause and does not say how long; its documentation does."""


def bounded(call: Callable[[], T], seconds: float) -> T:
    """Make a call that talks to GitHub, and wait for it no longer than that.

    The timeout of ``requests`` counts from one byte to the next, so that a server which drips could hold us for ever.

    :raises MetastoreError: it failed, or took too long
    """
    outcome: list[Any] = []
    context = contextvars.copy_context()

    def run() -> None:
        try:
            outcome.append((context.run(call), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run, daemon=True, name="metastore-github")
    thread.start()
    thread.join(deadline.remaining(seconds))
    if not outcome:
        raise Unavailable("GitHub's API has not answered in time")
    value, error = outcome[0]
    with translated():
        if error is not None:
            raise error
    result: T = value
    return result


@contextmanager
def translated() -> Iterator[None]:
    """Raise what PyGithub and its HTTP client raise as the metastore's errors, without their tracebacks."""
    try:
        yield
    except GithubException as error:
        failure = _failure(error.status, error.data, error.headers or {})
        raise failure from None
    except (requests.RequestException, OSError, ValueError, AssertionError) as error:
        raise Unavailable(f"GitHub's API cannot be reached: {type(error).__name__}") from None


def _failure(status: int, data: Any, headers: Mapping[str, str]) -> MetastoreError:
    said = _message(data)
    headers = {name.lower(): value for name, value in headers.items()}
    if status in (403, 429) and (pause := _pause(status, said, headers)) is not None:
        return RateLimited(f"GitHub asks us to wait: {said}", retry_after=pause)
    if status == 422:
        taken = "already exists" in said
        return Conflict(f"GitHub: {said}") if taken else Invalid("repository", f"GitHub does not take it: {said}")
    kinds: dict[int, Callable[[], MetastoreError]] = {
        401: lambda: Unauthorized(f"GitHub refuses our credentials: {said}"),
        403: lambda: Unauthorized(f"GitHub does not let us do this: {said}"),
        404: lambda: NotFound("repository", said),
        409: lambda: Conflict(f"GitHub: {said}"),
    }
    return kinds.get(status, lambda: Unavailable(f"GitHub's API answers {status}: {said}"))()


def _message(data: Any) -> str:
    if not isinstance(data, dict):
        return "no reason is given"
    errors = [item.get("message") or item.get("code") for item in data.get("errors") or [] if isinstance(item, dict)]
    return ": ".join(str(part) for part in [data.get("message"), *errors] if part)[:500]


def _pause(status: int, said: str, headers: Mapping[str, str]) -> float | None:
    """Give for how many seconds we are to wait; ``None`` where it is no limit that we have met."""
    if "retry-after" in headers:
        return _number(headers["retry-after"])
    if headers.get("x-ratelimit-remaining") == "0":
        return max(_number(headers.get("x-ratelimit-reset", "0")) - time.time(), 1.0)
    return _SECONDARY_PAUSE if status == 429 or "rate limit" in said.lower() else None


def _number(text: str) -> float:
    try:
        return max(float(text), 0.0)
    except ValueError:
        return _SECONDARY_PAUSE
