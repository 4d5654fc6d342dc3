"""From a dataset to its document. Each ``_take`` moves what a property carries out of the dataset's fields."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from itertools import chain, count
from typing import Any

from ckanext.metastore.core.types import Document
from ckanext.metastore.mapper.properties import (
    CONTRIBUTOR_FIELDS,
    NO_DATA,
    PACKAGE_FIELDS,
    PROFILE,
    README_RESOURCE,
    RESOURCE_FIELDS,
    SOURCE_PROPERTIES,
    Field,
    is_license_name,
)
from ckanext.metastore.mapper.recorded import Fields, json_text, recorded

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{6})?")
_NAME_LIMIT = 100


def to_document(dataset: Mapping[str, Any]) -> Document:
    """Describe a dataset as a Data Package.

    :param dataset: as ``package_show`` gives it
    :returns: a valid Data Package v2 descriptor, equal for equal datasets; it shares nested values with ``dataset``
    """
    fields = recorded(dataset)
    properties = {
        **_take(fields, PACKAGE_FIELDS),
        "created": _utc(dataset.get("metadata_created")),
        "keywords": _take_keywords(fields),
        "licenses": _take_license(fields),
        "sources": _take_sources(fields),
        "contributors": _take_contributors(fields),
        "resources": _resources(fields.pop("resources")),
    }
    unsaid = {key: value for key, value in fields.items() if key not in ("extras", "tags", "groups") or value}
    return {"$schema": PROFILE, **{name: value for name, value in properties.items() if value}, "ckan": unsaid}


def _take(fields: Fields, properties: Mapping[str, Field]) -> Document:
    return {
        name: fields.pop(field.name)
        for name, field in properties.items()
        if field.name in fields and field.carries(fields[field.name])
    }


def _utc(time: Any) -> str | None:
    """Say that a time of CKAN's is UTC. What other forms Python reads differs from version to version."""
    if not isinstance(time, str) or not _TIME.fullmatch(time):
        return None
    try:
        datetime.fromisoformat(time)
    except ValueError:
        return None
    return f"{time}Z"


def _take_keywords(fields: Fields) -> list[str]:
    free = [tag for tag in fields["tags"] if tag["vocabulary_id"] is None and isinstance(tag.get("name"), str)]
    fields["tags"] = [tag for tag in fields["tags"] if tag not in free]
    return [tag["name"] for tag in free]


def _take_license(fields: Fields) -> list[Document]:
    return [{"name": fields.pop("license_id")}] if is_license_name(fields.get("license_id")) else []


def _take_contributors(fields: Fields) -> list[Document]:
    people = ({**_take(fields, properties), "roles": [role]} for role, properties in CONTRIBUTOR_FIELDS.items())
    return [person for person in people if len(person) > 1]


def _take_sources(fields: Fields) -> list[Document]:
    """Take the extra ``sources``, which holds the sources of a Data Package as JSON, CKAN having no such field."""
    found = [extra for extra in fields["extras"] if extra.get("key") == "sources"]
    if len(found) != 1 or not (sources := _read_sources(found[0].get("value"))):
        return []
    fields["extras"] = [extra for extra in fields["extras"] if extra is not found[0]]
    return sources


def _read_sources(text: Any) -> list[Document]:
    try:
        sources: Any = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return []
    carried = isinstance(sources, list) and all(map(_is_source, sources)) and json_text(sources) == text
    return sources if carried else []


def _is_source(source: Any) -> bool:
    return (
        isinstance(source, dict)
        and source != {}
        and all(key in SOURCE_PROPERTIES and SOURCE_PROPERTIES[key](value) for key, value in source.items())
    )


def _resources(resources: list[Fields]) -> list[Document]:
    taken: set[str] = set()
    return [_resource(resource, taken) for resource in resources] or [dict(README_RESOURCE)]


def _resource(resource: Fields, taken: set[str]) -> Document:
    fields = dict(resource)
    name = _free_name(fields, taken)
    taken.add(name)
    properties = _take(fields, RESOURCE_FIELDS)
    location = {} if "path" in properties else {"data": list(NO_DATA)}
    return {"name": name, **location, **properties, "ckan": fields}


def _free_name(resource: Fields, taken: set[str]) -> str:
    """Name a resource after its CKAN name, and where that says nothing or is taken, after its id."""
    short_id = _slug(resource.get("id"))[:8] or "0"
    name = _slug(resource.get("name")) or f"resource-{short_id}"
    numbered = (f"{name}-{number}" for number in count(2))
    return next(free for free in chain((name, f"{name}-{short_id}"), numbered) if free not in taken)


def _slug(text: Any) -> str:
    decomposed = unicodedata.normalize("NFKD", text) if isinstance(text, str) else ""
    ascii_text = decomposed.encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9._]+", "-", ascii_text)[:_NAME_LIMIT].strip("-._")
