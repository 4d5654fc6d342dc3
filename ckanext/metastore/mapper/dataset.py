"""From a document to its dataset, also from a document that somebody else wrote.

Each ``_give`` moves what CKAN has a field for out of the document's properties; what is left are the properties that
CKAN has no field for. A property whose value makes no sense there is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ckanext.metastore.core.types import Document
from ckanext.metastore.mapper.properties import (
    CONTRIBUTOR_FIELDS,
    NO_DATA,
    PACKAGE_FIELDS,
    README_RESOURCE,
    RESOURCE_FIELDS,
    Field,
)
from ckanext.metastore.mapper.recorded import Fields, objects, recorded, text


def to_dataset(document: Mapping[str, Any]) -> Fields:
    """Read a Data Package as a dataset: the inverse of :func:`~ckanext.metastore.mapper.to_document`.

    :param document: any Data Package descriptor, v1 or v2
    :returns: what :func:`~ckanext.metastore.mapper.recorded` gives; of a Data Package from elsewhere, the fields that
        it has something for
    """
    rest = {name: value for name, value in document.items() if name not in ("$schema", "created") and value is not None}
    dataset = _give_ckan(rest) or {}
    dataset.update(_give(rest, PACKAGE_FIELDS))
    dataset.update(_give_license(rest))
    dataset.update(_give_contributors(rest))
    dataset["resources"] = _give_resources(rest)
    dataset = recorded(dataset)
    dataset["tags"] += _give_keywords(rest)
    dataset["extras"] = [extra for extra in dataset["extras"] if not _is_among(rest, extra.get("key"))]
    dataset["extras"] += [{"key": name, "value": text(value)} for name, value in rest.items()]
    return recorded(dataset)


def _is_among(properties: Document, key: Any) -> bool:
    return isinstance(key, str) and key in properties


def _give(properties: Document, fields: Mapping[str, Field]) -> Fields:
    found = {name: properties.pop(name, None) for name in fields}
    return {fields[name].name: value for name, value in found.items() if isinstance(value, (str, int, float))}


def _give_ckan(properties: Document) -> Fields | None:
    ckan = properties.get("ckan")
    return dict(properties.pop("ckan")) if isinstance(ckan, dict) else None


def _give_license(properties: Document) -> Fields:
    """Read the first licence. Where there are more, all of them stay among the properties."""
    licenses = objects(properties.get("licenses"))
    if len(licenses) < 2:
        properties.pop("licenses", None)
    first = licenses[0] if licenses else {}
    license_id = first.get("name") or first.get("path")
    return {"license_id": license_id} if isinstance(license_id, str) else {}


def _give_contributors(properties: Document) -> Fields:
    """Read the first author and the first maintainer. Who has no place in CKAN stays among the properties."""
    people = objects(properties.pop("contributors", None))
    first = {role: next((person for person in people if role in _roles(person)), {}) for role in CONTRIBUTOR_FIELDS}
    fields: Fields = {}
    for role, person in first.items():
        fields.update(_give(dict(person), CONTRIBUTOR_FIELDS[role]))
    others = [person for person in people if person not in first.values() or person.keys() - _CONTRIBUTOR_PROPERTIES]
    if others:
        properties["contributors"] = others
    return fields


_CONTRIBUTOR_PROPERTIES = {"title", "email", "role", "roles"}


def _roles(person: Document) -> list[Any]:
    """Read a contributor's roles. Version 1 had one ``role``; who has none counts as an author."""
    roles = person.get("roles") or person.get("role") or "author"
    return roles if isinstance(roles, list) else [roles]


def _give_keywords(properties: Document) -> list[Fields]:
    keywords = properties.pop("keywords", None)
    return [{"name": word} for word in keywords if isinstance(word, str)] if isinstance(keywords, list) else []


def _give_resources(properties: Document) -> list[Fields]:
    return [_resource(resource) for resource in objects(properties.pop("resources", None)) if not _is_readme(resource)]


def _is_readme(resource: Document) -> bool:
    """Tell whether a resource stands in for none. Once somebody gives it another path, it is a resource."""
    return "ckan" in resource and resource["ckan"] is None and resource.get("path") == README_RESOURCE["path"]


def _resource(document: Document) -> Fields:
    rest = {name: value for name, value in document.items() if name != "$schema" and value is not None}
    fields, name, path = _give_ckan(rest), rest.pop("name", None), rest.get("path")
    given = _give(rest, RESOURCE_FIELDS)
    if isinstance(path, list) and path:
        given.update(url=path[0], path=path)
    if rest.get("data") == NO_DATA:
        del rest["data"]
    if fields is None:
        fields = {"name": name} if isinstance(name, str) else {}
    return {**fields, **rest, **given}
