"""How the program shows what the service gives: for people, or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ckanext.metastore.core.types import Author, Change, Revision, Tag

if TYPE_CHECKING:
    from ckanext.metastore.client.types import Listed

_SIGNS = {"added": "+", "removed": "-", "changed": "~", "moved": ">"}


def as_json(value: Any) -> str:
    """Write values as JSON; a time in ISO 8601."""
    return json.dumps(value, default=_plain, ensure_ascii=False, indent=2)


def revisions(found: Iterable[Revision]) -> str:
    """Write a history."""
    return "\n\n".join(map(_revision, found))


def changes(found: Iterable[Change]) -> str:
    """Write one line for each change."""
    return "\n".join(map(_change, found))


def tags(found: Iterable[Tag]) -> str:
    """Write one line for each tag."""
    return "\n".join(" ".join(filter(None, (tag.name, tag.revision_id, tag.description))) for tag in found)


def listed(found: Listed) -> str:
    """Write a dataset's line."""
    return " ".join(filter(None, (f"{found.owner}/{found.name}", "(private)" if found.private else None, found.title)))


def _revision(revision: Revision) -> str:
    lines = [f"revision {revision.id}"]
    lines += [f"tags:    {' '.join(revision.tags)}"] if revision.tags else []
    lines += [f"author:  {_author(revision.author)}", f"date:    {revision.timestamp.isoformat()}", ""]
    return "\n".join([*lines, *(f"    {line}".rstrip() for line in revision.message.splitlines())])


def _author(author: Author) -> str:
    return f"{author.name} <{author.email}>"


def _change(change: Change) -> str:
    path = ".".join(change.path)
    if change.kind == "changed":
        said = f"{_value(change.old)} -> {_value(change.new)}"
    else:
        said = _value(change.new if change.kind == "added" else change.old)
    return f"{_SIGNS[change.kind]} {path}" + ("" if change.kind == "moved" else f": {said}")


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")
