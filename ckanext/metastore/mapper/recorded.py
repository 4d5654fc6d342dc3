"""What of a dataset is recorded, in one normal form."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

Fields = dict[str, Any]
"""A dataset, a resource, an extra, a tag or a group, as CKAN's API gives it."""

DERIVED_FIELDS = frozenset(
    {
        "creator_user_id",
        "isopen",
        "license_title",
        "license_url",
        "metadata_created",
        "metadata_modified",
        "num_resources",
        "num_tags",
        "organization",
        "relationships_as_object",
        "relationships_as_subject",
        "revision_id",
        "revision_timestamp",
        "tracking_summary",
    }
)
"""What CKAN itself says of a dataset, and no editor."""

DERIVED_RESOURCE_FIELDS = frozenset(
    {
        "datastore_active",
        "metadata_modified",
        "package_id",
        "position",
        "revision_id",
        "revision_timestamp",
        "tracking_summary",
    }
)
"""What CKAN itself says of a resource. Its position is its place in the list."""


def recorded(dataset: Mapping[str, Any]) -> Fields:
    """Reduce a dataset to what its history records.

    Left out is what CKAN works out by itself: of extras all but key and value, of tags all but name and vocabulary,
    of groups all but id and name. Extras are sorted by key, tags and groups by name. The four lists are always there.

    :param dataset: as ``package_show`` gives it, in any version of CKAN
    :returns: a new dict, which shares nested values with ``dataset``; ``recorded`` of it is the same again
    """
    fields = _without(dataset, DERIVED_FIELDS)
    fields["resources"] = [
        _without(resource, DERIVED_RESOURCE_FIELDS) for resource in objects(dataset.get("resources"))
    ]
    fields["extras"] = _sorted_by("key", _extras(dataset.get("extras")))
    fields["tags"] = _sorted_by("name", _tags(dataset.get("tags")))
    fields["groups"] = _sorted_by("name", (_only(group, "id", "name") for group in _named(dataset.get("groups"))))
    return fields


def objects(value: Any) -> list[Fields]:
    """Give the objects of a list; none, where it is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def json_text(value: Any) -> str:
    """Write a JSON value on one line, the same for equal values."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def text(value: Any) -> str:
    """Give text as it is, any other value as JSON."""
    return value if isinstance(value, str) else json_text(value)


def _without(fields: Mapping[str, Any], left_out: frozenset[str]) -> Fields:
    return {key: value for key, value in fields.items() if key not in left_out}


def _only(fields: Fields, *keys: str) -> Fields:
    return {key: fields[key] for key in keys if key in fields}


def _extras(value: Any) -> list[Fields]:
    """Read extras. CKAN 1 gave them as one object, CKAN before 2.9 listed deleted ones too."""
    if isinstance(value, dict):
        return [{"key": key, "value": content} for key, content in value.items()]
    return [_only(extra, "key", "value") for extra in objects(value) if extra.get("state") != "deleted"]


def _tags(value: Any) -> list[Fields]:
    return [{"vocabulary_id": None, **_only(tag, "name", "vocabulary_id")} for tag in _named(value)]


def _named(value: Any) -> list[Fields]:
    """Read tags or groups, which the first versions of CKAN's API listed by their bare names."""
    return (
        objects([{"name": item} if isinstance(item, str) else item for item in value])
        if isinstance(value, list)
        else []
    )


def _sorted_by(key: str, items: Iterable[Fields]) -> list[Fields]:
    return sorted(items, key=lambda item: (text(item.get(key)), json_text(item)))
