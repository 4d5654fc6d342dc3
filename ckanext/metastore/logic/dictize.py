"""Revisions, tags and changes as the action API gives them. Times are ISO 8601 in UTC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ckanext.metastore.core.types import Change, utc
from ckanext.metastore.model.queries import Row


def revision(row: Row, tags: Sequence[str]) -> dict[str, Any]:
    """A revision, with the names of the tags that point to it."""
    return {
        "id": row.sha,
        "timestamp": utc(row.timestamp).isoformat(),
        "author": row.author_name,
        "message": row.message,
        "parents": row.parents.split(),
        "tags": list(tags),
        "published": row.published,
    }


def revisions(rows: Sequence[Row], tags: Sequence[Row]) -> list[dict[str, Any]]:
    """Revisions, each with its tags."""
    names: dict[str, list[str]] = {}
    for row in tags:
        names.setdefault(row.sha, []).append(row.name)
    return [revision(row, sorted(names.get(row.sha, []))) for row in rows]


def dataset(row: Row) -> dict[str, Any]:
    """What a revision among those of other datasets belongs to."""
    return {"id": row.id, "name": row.name, "title": row.title or row.name, "type": row.type}


def tag(row: Row) -> dict[str, Any]:
    """A tag."""
    return {
        "name": row.name,
        "revision_id": row.sha,
        "description": row.description,
        "author": row.author_name,
        "timestamp": utc(row.timestamp).isoformat(),
    }


def change(change: Change) -> dict[str, Any]:
    """A change; the path is a list, so that no field's name can be mistaken for a separator."""
    return {"kind": change.kind, "path": list(change.path), "old": change.old, "new": change.new}
