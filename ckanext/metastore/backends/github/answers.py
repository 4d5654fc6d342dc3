"""What GitHub's API answers when it does not do what was asked, as the metastore's errors.

:see: https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from github import GithubException

from ckanext.metastore.backends.hosted import deadline
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
    """Make a call of PyGithub's, and wait for it no longer than that.

    :raises MetastoreError: it failed, or took too long
    """
    return deadline.bounded(call, seconds, translated=translated)


def translated(error: BaseException) -> MetastoreError:
    """Give what PyGithub, its HTTP client or a parser raised as an error of ours.

    A new one, which is not chained to the other: that holds the request with its headers, and so the token.
    """
    if isinstance(error, MetastoreError):
        return error
    if isinstance(error, GithubException):
        return _failure(error.status, error.data, error.headers or {})
    return Unavailable(f"GitHub's API cannot be reached, or is not understood: {type(error).__name__}")


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
    return ": ".join(str(part) for part in [data.get("message"), *errors] if part)[:500] or "no reason is given"


def _pause(status: int, said: str, headers: Mapping[str, str]) -> float | None:
    """Give for how many seconds we are to wait; ``None`` where it is no limit that we have met."""
    if "retry-after" in headers:
        return _number(headers["retry-after"])
    if headers.get("x-ratelimit-remaining") == "0":
        return max(_number(headers.get("x-ratelimit-reset", "0")) - time.time(), 1.0)
    limited = any(words in said.lower() for words in ("rate limit", "abuse detection"))
    return _SECONDARY_PAUSE if status == 429 or limited else None


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        return _SECONDARY_PAUSE
    return max(number, 0.0) if math.isfinite(number) else _SECONDARY_PAUSE
