"""What the service answers, turned into the core's values and errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import httpx

from ckanext.metastore.client.types import Dataset, Listed, Mirror
from ckanext.metastore.core.errors import (
    Conflict,
    Invalid,
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
T = TypeVar("T")


def read(response: httpx.Response, shape: Callable[[Any], T]) -> T:
    """Read the JSON of an answer as a value.

    :raises Unavailable: it is not what the service says; somebody else has answered
    """
    try:
        return shape(response.json())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unavailable(f"{response.url} does not answer as a metastore does") from error


def dataset(response: httpx.Response, owner: str, name: str) -> Dataset:
    """Read a dataset.

    :raises Unavailable: it is none
    """
    headers = response.headers
    if "ETag" not in headers:
        raise Unavailable(f"{response.url} does not answer as a metastore does")
    return Dataset(
        owner=owner,
        name=name,
        revision_id=headers["ETag"].removeprefix("W/").strip('"'),
        document=read(response, dict),
        private=headers.get("Metastore-Private") == "true",
        published=headers.get("Metastore-Published") != "false",
    )


def listed(data: Json) -> Listed:
    """Read a dataset in a list."""
    return Listed(
        id=data["id"],
        owner=data["owner"],
        name=data["name"],
        title=data["title"],
        private=data["private"],
        revision_id=data["revision"],
        timestamp=time(data["timestamp"]),
    )


def mirror(data: Json) -> Mirror:
    """Read a mirror."""
    return Mirror(
        number=data["number"],
        owner=data["owner"],
        name=data["name"],
        description=data["description"],
        homepage=data["homepage"],
        topics=tuple(data["topics"]),
        private=data["private"],
        archived=data["archived"],
        empty=data["empty"],
    )


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
        revision_id=data["revision"],
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
    return datetime.fromisoformat(re.sub("[Zz]$", "+00:00", text))


def error(response: httpx.Response) -> MetastoreError:
    """Read a problem document (RFC 9457); an answer that is none comes from something between us and the service."""
    problem = _problem(response)
    status = response.status_code
    said = str(problem.get("detail") or problem.get("title") or f"{response.url} answers {status}")
    if status in (401, 403):
        return Unauthorized(said)
    if status == 404:
        return _missing(response, problem)
    if status in (409, 412):
        return Conflict(said, current=_current(problem))
    if status == 429:
        return RateLimited(said, retry_after=_retry_after(response))
    if 400 <= status < 500:
        return _invalid(problem, said)
    return Unavailable(said)


def _missing(response: httpx.Response, problem: Json) -> NotFound:
    kind, ref = problem.get("kind"), problem.get("ref")
    if isinstance(kind, str) and isinstance(ref, str):
        return NotFound(kind, ref)
    return NotFound("page", str(response.url))


def _invalid(problem: Json, said: str) -> Invalid:
    """Give the first thing that is wrong, and the rest as its reason goes on."""
    errors = [each for each in problem.get("errors") or () if isinstance(each, dict)]
    if not errors:
        return Invalid("request", said)
    first, *others = [(str(each.get("field")), str(each.get("reason"))) for each in errors]
    rest = "".join(f"; {field}: {reason}" for field, reason in others)
    return Invalid(first[0] or "/", first[1] + rest)


def _current(problem: Json) -> Revision | None:
    try:
        return revision(problem["current"])
    except (KeyError, TypeError, ValueError):
        return None


def _problem(response: httpx.Response) -> Json:
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _retry_after(response: httpx.Response) -> float:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else RETRY_AFTER
