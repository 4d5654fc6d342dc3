"""CKAN dataset dicts and Data Package v2 descriptors, each from the other, without loss.

The rules, in the order in which a reader of ``datapackage.json`` needs them:

*   Outside ``ckan`` the names are the Data Package's, inside ``ckan`` they are CKAN's. ``title`` of a resource is the
    CKAN resource's ``name``; ``ckan.title`` would be a field called ``title`` of the portal's own schema.
*   Each field stands in one place. Where a standard property can say it exactly, it stands there and nowhere else:
    whoever edits ``title`` on GitHub changes the dataset. What no standard property can say (a null, an empty string,
    a link that is no URL, a field of the portal's own schema) stands in ``ckan``. Where somebody has written both,
    the standard property decides.
*   A few properties are for reading only and are made anew each time: ``created``, and the ``name`` of a resource.
*   A property that CKAN has no field for becomes an extra of the dataset, or a field of the resource. So a Data
    Package from elsewhere, without any ``ckan``, makes a sensible dataset.

The standard asks for one resource at least, and for ``path`` or ``data`` in each. A dataset without resources lists its
README, marked by ``"ckan": null``; a resource whose link is no valid path has the empty ``data`` ``[]``.

:see: https://datapackage.org/standard/data-package/ and https://datapackage.org/standard/data-resource/
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from ckanext.metastore.core.types import Document

Fields = dict[str, Any]
"""A dataset, resource, extra, tag or group as CKAN's API gives it."""

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"

DERIVED_PACKAGE_FIELDS = frozenset(
    "creator_user_id isopen license_title license_url metadata_created metadata_modified num_resources num_tags "
    "organization relationships_as_object relationships_as_subject revision_id revision_timestamp "
    "tracking_summary".split()
)
"""What CKAN works out by itself: not recorded."""

DERIVED_RESOURCE_FIELDS = frozenset(
    "datastore_active metadata_modified package_id position revision_id revision_timestamp tracking_summary".split()
)
"""What CKAN works out by itself: not recorded. The order of the resources carries their position."""

NO_DATA: list[Any] = []
"""The ``data`` of a resource that has no valid path."""

README_RESOURCE: Document = {
    "name": "readme",
    "path": "README.md",
    "title": "README",
    "description": "This dataset has no resources. A Data Package must list one, so it lists this generated page.",
    "format": "MD",
    "mediatype": "text/markdown",
    "ckan": None,
}
"""Stands for "no resources"."""

Carries = Callable[[Any], bool]


def _text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _matching(pattern: str) -> Carries:
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _size(value: Any) -> bool:
    return type(value) is int and value >= 0


_name = _matching(r"[a-z0-9._-]+")
_license_name = _matching(r"[A-Za-z0-9._-]+")
_email = _matching(r"[\w+-]+(\.[\w+-]+)*@[\w-]+(\.[\w-]+)+")
_url = _matching(r"https?://[\w.-]+(:\d+)?([/?]([\w.~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?(#[\w.~!$&'()*+,;=:@/?%-]*)?")
_path = _matching(
    r"(https?|ftps?)://[^\x00-\x1f\x7f\s][^\x00-\x1f\x7f\u0085\u2028\u2029]*|\w[\w-]*(\.[\w-]+)*(/[\w-]+(\.[\w-]+)*)*"
)
_mediatype = _matching(r"[\w.+*-]+/[\w.+*-]+(; ?[ -~]+)?")
_hash = _matching(r"[\w-]+:[a-fA-F0-9]+|[a-fA-F0-9]{32}")

PACKAGE_PROPERTIES: dict[str, tuple[str, Carries]] = {
    "id": ("id", _text),
    "name": ("name", _name),
    "title": ("title", _text),
    "description": ("notes", _text),
    "homepage": ("url", _url),
    "version": ("version", _text),
}
"""Property -> the CKAN field that it carries, and which values it can carry."""

RESOURCE_PROPERTIES: dict[str, tuple[str, Carries]] = {
    "title": ("name", _text),
    "path": ("url", _path),
    "description": ("description", _text),
    "format": ("format", _text),
    "mediatype": ("mimetype", _mediatype),
    "bytes": ("size", _size),
    "hash": ("hash", _hash),
}

CONTRIBUTORS = {"author": "author_email", "maintainer": "maintainer_email"}
"""A contributor's role, which is also the CKAN field with the name -> the field with the e-mail address."""


def to_document(dataset: Mapping[str, Any]) -> Document:
    """Describe a dataset as a Data Package.

    :param dataset: as ``package_show`` gives it
    :returns: a valid Data Package v2 descriptor; equal datasets give equal descriptors
    """
    fields = recorded(dataset)
    document: Document = {"$schema": PROFILE, **_take(fields, PACKAGE_PROPERTIES)}
    created = _rfc3339(dataset.get("metadata_created"))
    if created:
        document["created"] = created
    if _license_name(fields.get("license_id")):
        document["licenses"] = [{"name": fields.pop("license_id")}]
    sources = _take_sources(fields)
    if sources:
        document["sources"] = sources
    contributors = [person for role in CONTRIBUTORS if (person := _take_contributor(fields, role))]
    if contributors:
        document["contributors"] = contributors
    keywords = _take_keywords(fields)
    if keywords:
        document["keywords"] = keywords
    document["resources"] = _resources_to_document(fields.pop("resources")) or [dict(README_RESOURCE)]
    document["ckan"] = {key: value for key, value in fields.items() if key not in _LISTS or value}
    return document


def to_dataset(document: Mapping[str, Any]) -> Fields:
    """Read a Data Package as a dataset: the inverse of :func:`to_document`.

    :param document: any Data Package descriptor; what is not valid in it is passed over or kept as an extra
    :returns: the recorded fields, as :func:`recorded` gives them; a Data Package from elsewhere gives those that it has
    """
    rest = dict(document)
    dataset = _pop_ckan(rest) or {}
    dataset.update(_give(rest, PACKAGE_PROPERTIES))
    dataset["resources"] = [
        _to_resource(item) for item in _objects(rest.pop("resources", None)) if not _is_readme(item)
    ]
    _give_license(rest, dataset)
    _give_contributors(rest, dataset)
    _give_keywords(rest, dataset)
    for display_only in ("$schema", "created"):
        rest.pop(display_only, None)
    properties = [{"key": key, "value": _as_text(value)} for key, value in rest.items() if value is not None]
    named = {extra["key"] for extra in properties}
    kept = [extra for extra in _extras(dataset.get("extras")) if extra.get("key") not in named]
    dataset["extras"] = kept + properties
    return recorded(dataset)


def recorded(dataset: Mapping[str, Any]) -> Fields:
    """Reduce a dataset to what its history records, in one normal form.

    Left out is what CKAN works out by itself. Extras are sorted by key, tags and groups by name.

    :param dataset: as ``package_show`` gives it, of this CKAN or of an older one
    :returns: a new dict; nested values are shared with the given one
    """
    fields = {key: value for key, value in dataset.items() if key not in DERIVED_PACKAGE_FIELDS}
    fields["resources"] = [_resource(item) for item in _objects(dataset.get("resources"))]
    fields["extras"] = _sorted(_extras(dataset.get("extras")), "key")
    fields["tags"] = _sorted(_named(dataset.get("tags"), ("name", "vocabulary_id")), "name")
    fields["groups"] = _sorted(_named(dataset.get("groups"), ("id", "name")), "name")
    for tag in fields["tags"]:
        tag.setdefault("vocabulary_id", None)
    return fields


_LISTS = ("extras", "tags", "groups")


# -- what is recorded --------------------------------------------------------------------------------------------------


def _objects(value: Any) -> list[Fields]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _resource(resource: Fields) -> Fields:
    return {key: value for key, value in resource.items() if key not in DERIVED_RESOURCE_FIELDS}


def _extras(value: Any) -> list[Fields]:
    """Read extras; CKAN 1 had a plain mapping, older CKANs list deleted ones too."""
    if isinstance(value, dict):
        return [{"key": key, "value": content} for key, content in value.items()]
    return [
        {key: item[key] for key in ("key", "value") if key in item}
        for item in _objects(value)
        if item.get("state") != "deleted"
    ]


def _named(value: Any, keys: tuple[str, ...]) -> list[Fields]:
    """Read tags or groups; the first versions of the API listed their bare names."""
    items = [{"name": item} if isinstance(item, str) else item for item in value] if isinstance(value, list) else []
    return [{key: item[key] for key in keys if key in item} for item in _objects(items)]


def _sorted(items: Iterable[Fields], key: str) -> list[Fields]:
    return sorted(items, key=lambda item: (str(item.get(key)), _json(item)))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


# -- to a document: each function takes the fields that it can carry out of the dict -----------------------------------


def _take(fields: Fields, properties: Mapping[str, tuple[str, Carries]]) -> Document:
    return {
        name: fields.pop(field)
        for name, (field, carries) in properties.items()
        if field in fields and carries(fields[field])
    }


def _take_contributor(fields: Fields, role: str) -> Document:
    person = _take(fields, {"title": (role, _text), "email": (CONTRIBUTORS[role], _email)})
    return {**person, "roles": [role]} if person else {}


def _take_keywords(fields: Fields) -> list[str]:
    free = [tag for tag in fields["tags"] if _text(tag.get("name")) and tag["vocabulary_id"] is None]
    fields["tags"] = [tag for tag in fields["tags"] if tag not in free]
    return [tag["name"] for tag in free]


def _take_sources(fields: Fields) -> list[Document]:
    """Sources come from a Data Package only; CKAN keeps them as an extra in JSON."""
    found = [extra for extra in fields["extras"] if extra.get("key") == "sources"]
    sources = _read_sources(found[0].get("value")) if len(found) == 1 else []
    if sources:
        fields["extras"] = [extra for extra in fields["extras"] if extra is not found[0]]
    return sources


_SOURCE_PROPERTIES: dict[str, Carries] = {"title": _text, "path": _path, "email": _email, "version": _text}


def _read_sources(value: Any) -> list[Document]:
    try:
        sources = json.loads(value)
    except (TypeError, ValueError, RecursionError):
        return []
    valid = isinstance(sources, list) and all(
        isinstance(source, dict)
        and source
        and all(_SOURCE_PROPERTIES.get(key, _nothing)(part) for key, part in source.items())
        for source in sources
    )
    return sources if valid and _as_text(sources) == value else []


def _nothing(_value: Any) -> bool:
    return False


def _resources_to_document(resources: list[Fields]) -> list[Document]:
    taken: set[str] = set()
    return [_resource_to_document(resource, taken) for resource in resources]


def _resource_to_document(resource: Fields, taken: set[str]) -> Document:
    fields = dict(resource)
    name = _unique_name(fields, taken)
    document = {"name": name, **_take(fields, RESOURCE_PROPERTIES)}
    if "path" not in document:
        document["data"] = list(NO_DATA)
    return {**document, "ckan": fields}


def _unique_name(resource: Fields, taken: set[str]) -> str:
    """Name a resource for a Data Package: after its CKAN name, and where that is taken, after its id too."""
    base = _slug(resource.get("name")) or "resource"
    candidates = [base, f"{base}-{_slug(resource.get('id'))[:8]}".rstrip("-")]
    number = 2
    while candidates[0] in taken:
        candidates.pop(0)
        if not candidates:
            candidates.append(f"{base}-{number}")
            number += 1
    taken.add(candidates[0])
    return candidates[0]


def _slug(value: Any) -> str:
    latin = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode() if isinstance(value, str) else ""
    return re.sub(r"[^a-z0-9._]+", "-", latin.lower()).strip("-._")[:100]


def _rfc3339(value: Any) -> str | None:
    """CKAN's times are UTC and do not say so."""
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    time = time if time.tzinfo else time.replace(tzinfo=timezone.utc)
    return time.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


# -- to a dataset: each function takes the properties that it can read out of the document ----------------------------


def _pop_ckan(properties: Document) -> Fields | None:
    return dict(properties.pop("ckan")) if isinstance(properties.get("ckan"), dict) else None


def _give(properties: Document, table: Mapping[str, tuple[str, Carries]]) -> Fields:
    return {
        field: properties.pop(name)
        for name, (field, _) in table.items()
        if isinstance(properties.get(name), (str, int)) and not isinstance(properties[name], bool)
    }


def _is_readme(resource: Document) -> bool:
    return resource.get("path") == README_RESOURCE["path"] and resource.get("ckan", "") is None


def _to_resource(document: Document) -> Fields:
    properties = dict(document)
    fields = _pop_ckan(properties)
    name = properties.pop("name", None)
    if properties.get("data") == NO_DATA:
        del properties["data"]
    read = _give(properties, RESOURCE_PROPERTIES)
    if fields is None:
        fields = {"name": name} if name else {}
        properties.pop("ckan", None)
        if isinstance(properties.get("path"), list) and properties["path"]:
            fields["url"] = properties["path"][0]
    return {**fields, **properties, **read}


def _give_license(properties: Document, dataset: Fields) -> None:
    licenses = _objects(properties.get("licenses"))
    if licenses:
        dataset["license_id"] = licenses[0].get("name") or licenses[0].get("path")
        if len(licenses) == 1:
            del properties["licenses"]


def _give_contributors(properties: Document, dataset: Fields) -> None:
    people = _objects(properties.get("contributors"))
    chosen = [person for role in CONTRIBUTORS if (person := _give_contributor(people, role, dataset))]
    others = [person for person in people if person not in chosen]
    properties.pop("contributors", None)
    if others:
        properties["contributors"] = others


def _give_contributor(people: list[Document], role: str, dataset: Fields) -> Document | None:
    for person in people:
        roles = person.get("roles") or [person.get("role") or "author"]
        if role in roles:
            dataset.update(_give(dict(person), {"title": (role, _text), "email": (CONTRIBUTORS[role], _email)}))
            return person
    return None


def _give_keywords(properties: Document, dataset: Fields) -> None:
    keywords = properties.pop("keywords", None)
    names = [word for word in keywords if _text(word)] if isinstance(keywords, list) else []
    dataset["tags"] = _named(dataset.get("tags"), ("name", "vocabulary_id")) + [{"name": name} for name in names]


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)
