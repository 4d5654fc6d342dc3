"""Revisions, tags and changes as the action API gives them. Times are ISO 8601 in UTC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from ckanext.metastore import authors, config
from ckanext.metastore.core.findings import Finding
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


def details(
    rows: Sequence[Row], urls: Mapping[str, str], steps: Sequence[list[Change] | None]
) -> Iterator[dict[str, Any]]:
    """What else is told of revisions: where they are at the Git host, whose they are, and what they changed."""
    accounts = authors.named(rows)
    for row, before, step in zip_longest(rows, rows[1:], steps):
        yield {
            "url": urls.get(row.sha),
            **_whose(row, accounts),
            "previous": before.sha if before else None,
            "changes": None if step is None else [change(each) for each in step],
        }


def whose(row: Row) -> dict[str, str | None]:
    """Whose change a revision is: ``origin`` and ``user``."""
    return _whose(row, authors.named([row]))


def _whose(row: Row, accounts: Mapping[str, str | None]) -> dict[str, str | None]:
    user = accounts.get(row.sha)
    if not row.user_id:
        origin = "site" if row.author_email == config.site_author().email else "elsewhere"
    elif user is None and row.sha in accounts:
        origin = "gone"
    else:
        origin = "site" if user in config.robots() else "user"
    return {"origin": origin, "user": user}


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


def finding(found: Finding) -> dict[str, Any]:
    """What a check has found; what it can mend by itself, it mends with ``--fix``."""
    remedy = f"ckan metastore check --fix {found.package_id}" if found.mends else found.remedy
    return {"kind": found.kind, "detail": found.detail, "remedy": remedy}
