"""What the fields of a dataset are called on its pages, and how their values read.

The names are those of the dataset's own form: ckanext-scheming's, where it has a schema for the dataset's type, else
CKAN's. A field that neither knows is called by its own name.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from ckan import model
from flask_babel import format_datetime

from ckanext.metastore import schemas
from ckanext.metastore.core.saying import N_
from ckanext.metastore.model.queries import can_be
from ckanext.metastore.translating import _

_LABELS = {
    "title": N_("Title"),
    "name": N_("URL"),
    "notes": N_("Description"),
    "tags": N_("Tags"),
    "groups": N_("Groups"),
    "license_id": N_("License"),
    "owner_org": N_("Organization"),
    "private": N_("Visibility"),
    "state": N_("State"),
    "type": N_("Type"),
    "url": N_("Source"),
    "version": N_("Version"),
    "author": N_("Author"),
    "author_email": N_("Author Email"),
    "maintainer": N_("Maintainer"),
    "maintainer_email": N_("Maintainer Email"),
    "extras": N_("Custom fields"),
    "resources": N_("Resources"),
}
_RESOURCE_LABELS = {
    "name": N_("Name"),
    "description": N_("Description"),
    "format": N_("Format"),
    "url": N_("File or link"),
    "url_type": N_("Kind of link"),
    "hash": N_("Checksum"),
    "sha256": N_("Checksum"),
    "size": N_("Size in bytes"),
    "mimetype": N_("Media type"),
    "created": N_("Created"),
    "last_modified": N_("Data last updated"),
}


def field_label(name: str, dataset_type: str = "dataset", *, of_resource: bool = False) -> str:
    """What a field is called, in the language of the page.

    :param of_resource: whether it is a resource's field
    """
    field = schemas.fields(dataset_type, of_resource=of_resource).get(name)
    if field and (named := schemas.label(field)):
        return named
    own = (_RESOURCE_LABELS if of_resource else _LABELS).get(name)
    return _(own) if own else _readable(name)


def value_text(name: str, value: Any, dataset_type: str = "", *, of_resource: bool = False) -> str:
    """How a value reads: a licence by its title, a choice by its name, a list in lines; "" for none.

    :param dataset_type: whose schema says what choices are called; "" for no schema
    :param of_resource: whether it is a resource's field
    """
    if name in _NAMED and isinstance(value, (str, bool)) and value != "":
        return _NAMED[name](value)
    known = schemas.fields(dataset_type, of_resource=of_resource) if dataset_type else {}
    return _text(value, known.get(name, {}))


def _text(value: Any, field: schemas.Field) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list) and value and all(_is_flat(item) for item in value):
        return "\n".join(_text(item, field) for item in value)
    if isinstance(value, list) and value and all(_is_group(item) for item in value):
        return "\n\n".join(_group(item, field) for item in value)
    if isinstance(value, (dict, list)):
        return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
    return schemas.choice(field, value)


def _is_flat(value: Any) -> bool:
    return not isinstance(value, (dict, list))


def _is_group(value: Any) -> bool:
    """Whether it is a dict that a few lines can tell."""
    flat = isinstance(value, dict) and value
    return bool(flat) and all(_is_flat(item) or (item and all(map(_is_flat, item))) for item in value.values())


def _group(group: dict[str, Any], field: schemas.Field) -> str:
    """A line for each of its fields, first those of the schema, in its order."""
    known = schemas.subfields(field)
    names = sorted(group, key=lambda name: (list(known).index(name) if name in known else len(known), name))
    lines = []
    for name in names:
        said = _text(group[name], known.get(name, {})).replace("\n", ", ")
        called = schemas.label(known[name]) if name in known else ""
        lines += [f"{called or _readable(name)}: {said}"] if said else []
    return "\n".join(lines)


def place(name: str, dataset_type: str = "dataset", *, of_resource: bool = False) -> int:
    """Where a field stands in the form, to sort by; what the form does not have comes last."""
    schema = schemas.fields(dataset_type, of_resource=of_resource)
    order = list(schema or (_RESOURCE_LABELS if of_resource else _LABELS))
    return order.index(name) if name in order else len(order)


def is_link(value: Any) -> bool:
    """Whether a value may be linked: only what a browser fetches by http or https."""
    return isinstance(value, str) and value.lower().startswith(("http://", "https://")) and value.isprintable()


def _readable(name: str) -> str:
    """A field's own name as words, as CKAN's pages write it."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def _license(value: Any) -> str:
    found = model.Package.get_license_register().get(value)
    return str(found.title) if found else str(value)


def _organization(value: Any) -> str:
    group = model.Group.get(value) if isinstance(value, str) and can_be(value) else None
    return group.display_name if group and group.state == "active" else _("an organization that is gone")


def _visibility(value: Any) -> str:
    return _("Private") if value is True else _("Public") if value is False else str(value)


def _time(value: Any) -> str:
    try:
        return str(format_datetime(datetime.fromisoformat(value), "long"))
    except (TypeError, ValueError):
        return str(value)


_NAMED = {
    "license_id": _license,
    "owner_org": _organization,
    "private": _visibility,
    "created": _time,
    "last_modified": _time,
}
