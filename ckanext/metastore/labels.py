"""What the fields of a dataset are called on its pages, and how their values read.

The names are those of the dataset's own form: ckanext-scheming's, where it has a schema for the dataset's type, else
CKAN's. A field that neither knows is called by its own name.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import ckantoolkit as tk
from ckan import model
from flask_babel import format_datetime

from ckanext.metastore.core.saying import N_
from ckanext.metastore.model.queries import can_be

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
    scheming = _scheming(dataset_type, "resource_fields" if of_resource else "dataset_fields")
    if scheming.get(name):
        return scheming[name]
    own = (_RESOURCE_LABELS if of_resource else _LABELS).get(name)
    return tk._(own) if own else _readable(name)


def value_text(name: str, value: Any) -> str:
    """How a value reads: a licence by its title, an organization by its own, what is no text as JSON; "" for none."""
    if value is None or value == "":
        return ""
    if name in _NAMED and isinstance(value, (str, bool)):
        return _NAMED[name](value)
    if isinstance(value, bool):
        return tk._("yes") if value else tk._("no")
    if isinstance(value, (dict, list)):
        return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
    return str(value)


def place(name: str, dataset_type: str = "dataset", *, of_resource: bool = False) -> int:
    """Where a field stands in the form, to sort by; what the form does not have comes last."""
    scheming = _scheming(dataset_type, "resource_fields" if of_resource else "dataset_fields")
    order = list(scheming or (_RESOURCE_LABELS if of_resource else _LABELS))
    return order.index(name) if name in order else len(order)


def is_link(value: Any) -> bool:
    """Whether a value may be linked: only what a browser fetches by http or https."""
    return isinstance(value, str) and value.lower().startswith(("http://", "https://")) and value.isprintable()


def _readable(name: str) -> str:
    """A field's own name as words, as CKAN's pages write it."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def _scheming(dataset_type: str, fields: str) -> dict[str, str]:
    if "scheming_get_dataset_schema" not in tk.h:
        return {}
    schema = tk.h.scheming_get_dataset_schema(dataset_type) or {}
    language_text = tk.h.scheming_language_text
    return {
        field["field_name"]: language_text(field["label"]) for field in schema.get(fields, ()) if field.get("label")
    }


def _license(value: Any) -> str:
    found = model.Package.get_license_register().get(value)
    return str(found.title) if found else str(value)


def _organization(value: Any) -> str:
    group = model.Group.get(value) if isinstance(value, str) and can_be(value) else None
    return group.display_name if group and group.state == "active" else tk._("an organization that is gone")


def _visibility(value: Any) -> str:
    return tk._("Private") if value is True else tk._("Public") if value is False else str(value)


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
