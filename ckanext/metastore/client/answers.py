"""What the service answers, turned into the core's values and errors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx

from ckanext.metastore.core.errors import (
    Conflict,
    Invalid,
    InvalidName,
    MetastoreError,
    NotFound,
    RateLimited,
    Unauthorized,
    Unavailable,
)
from ckanext.metastore.core.types import Author, Change, Revision, Tag

RETRY_AFTER = 60.0
"""Seconds, where a service that asks us to wait does not say for how long."""

Json = Mapping[str, Any]


def checked(response: httpx.Response) -> httpx.Response:
    """Give an answer that is none of an error.

    :raises MetastoreError: the one of the tree that the answer tells of
    """
    if response.is_success or response.status_code == httpx.codes.NOT_MODIFIED:
        return response
    raise error(response)


def revision(data: Json) -> Revision:
    """Read a revision."""
    return Revision(
        id=data["id"],
        timestamp=time(data["timestamp"]),
        author=author(data["author"]),
        message=data["message"],
        parents=tuple(data["parents"]),
        tags=tuple(data["tags"]),
    )


def tag(data: Json) -> Tag:
    """Read a tag."""
    return Tag(
        name=data["name"],
        revision_id=data["revision_id"],
        description=data["description"],
        author=author(data["author"]),
        timestamp=time(data["timestamp"]),
    )


def change(data: Json) -> Change:
    """Read a change."""
    return Change(data["kind"], tuple(data["path"]), data.get("old"), data.get("new"))


def author(data: Json) -> Author:
    """Read an author."""
    return Author(data["name"], data["email"])


def time(text: str) -> datetime:
    """Read a time in ISO 8601. Python before 3.11 knows no Z."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def error(response: httpx.Response) -> MetastoreError:
    """Read a problem document (RFC 9457); an answer that is none comes from something between us and the service."""
    problem = _problem(response)
    status = response.status_code
    said = str(problem.get("detail") or problem.get("title") or f"the service answers {status}")
    if status in (401, 403):
        return Unauthorized(said)
    if status == 404:
        return NotFound(str(problem.get("kind", "page")), str(problem.get("ref", response.url.path)))
    if status in (409, 412):
        current = problem.get("current")
        return Conflict(said, current=revision(current) if current else None)
    if status == 429:
        return RateLimited(said, retry_after=_retry_after(response))
    if 400 <= status < 500:
        return _invalid(problem, said)
    return Unavailable(said)


def _invalid(problem: Json, said: str) -> MetastoreError:
    field, reason = str(problem.get("field", "request")), str(problem.get("reason", said))
    return InvalidName(field, str(problem["name"]), reason) if "name" in problem else Invalid(field, reason)


def _problem(response: httpx.Response) -> Json:
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _retry_after(response: httpx.Response) -> float:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else RETRY_AFTER
