"""What travels in JSON beside Data Packages: values in their one shape, and the JSON Schemas of these."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from ckanext.metastore.core.types import Author, Change, Revision, Tag
from ckanext.metastore.service.datasets import NAME, Dataset
from ckanext.metastore.service.history import Entry

Schema = dict[str, Any]


def text(**more: Any) -> Schema:
    """A text."""
    return {"type": "string", **more}


def an_object(properties: dict[str, Schema], *, optional: tuple[str, ...] = (), **more: Any) -> Schema:
    """An object with these properties and no others."""
    required = [name for name in properties if name not in optional]
    found: Schema = {"type": "object", "properties": properties, "additionalProperties": False, **more}
    return {**found, "required": required} if required else found


def a_list(items: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": items}


def ref(name: str) -> Schema:
    """One of :data:`SCHEMAS` by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


SHA = text(pattern="^[0-9a-f]{40}$")
TIME = text(format="date-time")
NAME_SCHEMA = text(pattern=f"^{NAME}$")
REF = text(minLength=1, maxLength=200)
MESSAGE = text(maxLength=10_000)
FLAG: Schema = {"type": "boolean"}

SCHEMAS: dict[str, Schema] = {
    "Author": an_object({"name": text(), "email": text()}),
    "Revision": an_object(
        {
            "id": SHA,
            "timestamp": TIME,
            "author": ref("Author"),
            "message": text(),
            "parents": a_list(SHA),
            "tags": a_list(text()),
            "public": FLAG,
            "published": FLAG,
        },
        optional=("public", "published"),
    ),
    "Tag": an_object(
        {"name": text(), "revision": SHA, "description": text(), "author": ref("Author"), "timestamp": TIME}
    ),
    "Change": an_object(
        {
            "kind": text(enum=["added", "removed", "changed", "moved"]),
            "path": a_list(text()),
            "old": {},
            "new": {},
        }
    ),
    "Dataset": an_object(
        {
            "id": text(format="uuid"),
            "owner": text(),
            "name": text(),
            "title": {"type": ["string", "null"]},
            "private": FLAG,
            "revision": SHA,
            "timestamp": TIME,
        }
    ),
    "Mirror": an_object(
        {
            "number": {"type": "integer"},
            "owner": text(),
            "name": text(),
            "description": text(),
            "homepage": text(),
            "topics": a_list(text()),
            "private": FLAG,
            "archived": FLAG,
            "empty": FLAG,
        }
    ),
    "Problem": {
        "type": "object",
        "properties": {
            "type": text(format="uri-reference"),
            "title": text(),
            "status": {"type": "integer"},
            "detail": text(),
            "errors": a_list(an_object({"field": text(), "reason": text()})),
            "current": ref("Revision"),
            "kind": text(),
            "ref": text(),
        },
        "required": ["type", "title", "status", "detail"],
    },
}


def time_shape(time: datetime) -> str:
    """A time: ISO 8601, UTC."""
    return time.astimezone(timezone.utc).isoformat()


def author_shape(author: Author) -> dict[str, str]:
    """An author."""
    return {"name": author.name, "email": author.email}


def revision_shape(revision: Revision) -> dict[str, Any]:
    """A revision."""
    return {
        "id": revision.id,
        "timestamp": time_shape(revision.timestamp),
        "author": author_shape(revision.author),
        "message": revision.message,
        "parents": list(revision.parents),
        "tags": list(revision.tags),
    }


def entry_shape(entry: Entry) -> dict[str, Any]:
    """A revision, and what the index knows of it."""
    return {**revision_shape(entry.revision), "public": not entry.private, "published": entry.published}


def tag_shape(tag: Tag) -> dict[str, Any]:
    """A tag."""
    return {
        "name": tag.name,
        "revision": tag.revision_id,
        "description": tag.description,
        "author": author_shape(tag.author),
        "timestamp": time_shape(tag.timestamp),
    }


def change_shape(change: Change) -> dict[str, Any]:
    """A change."""
    return {"kind": change.kind, "path": list(change.path), "old": change.old, "new": change.new}


def dataset_shape(dataset: Dataset) -> dict[str, Any]:
    """A dataset, as lists have it."""
    return {
        "id": dataset.id,
        "owner": dataset.owner,
        "name": dataset.name,
        "title": dataset.title,
        "private": dataset.private,
        "revision": dataset.head,
        "timestamp": time_shape(datetime.fromtimestamp(dataset.timestamp, timezone.utc)),
    }


def mirror_shape(dataset: Dataset) -> dict[str, Any]:
    """A mirror."""
    mirror = dataset.mirror
    assert mirror is not None
    return {
        "number": mirror.number,
        "owner": dataset.owner,
        "name": dataset.name,
        "description": mirror.description,
        "homepage": mirror.homepage,
        "topics": list(mirror.topics),
        "private": dataset.private,
        "archived": mirror.archived,
        "empty": not dataset.head,
    }
