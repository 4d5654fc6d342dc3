"""What the fields of a dataset are called on its pages, and how their values read.

The names are those of the dataset's own form: ckanext-scheming's, where it has a schema for the dataset's type, else
CKAN's. A field that neither knows is called by its own name.
"""

from __future__ import annotations

import json
from typing import Any

import ckantoolkit as tk
from ckan import model


def field_label(name: str, dataset_type: str = "dataset", *, of_resource: bool = False) -> str:
    """What a field is called, in the language of the page.

    :param of_resource: whether it is a resource's field
    """
    scheming = _scheming(dataset_type, "resource_fields" if of_resource else "dataset_fields")
    return scheming.get(name) or (_resource_labels() if of_resource else _labels()).get(name) or _readable(name)


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


def is_link(value: Any) -> bool:
    """Whether a value may be linked: only what a browser fetches by http or https."""
    return isinstance(value, str) and value.lower().startswith(("http://", "https://")) and value.isprintable()


def _labels() -> dict[str, str]:
    return {
        "title": tk._("Title"),
        "name": tk._("URL"),
        "notes": tk._("Description"),
        "tags": tk._("Tags"),
        "groups": tk._("Groups"),
        "license_id": tk._("License"),
        "owner_org": tk._("Organization"),
        "private": tk._("Visibility"),
        "state": tk._("State"),
        "type": tk._("Type"),
        "url": tk._("Source"),
        "version": tk._("Version"),
        "author": tk._("Author"),
        "author_email": tk._("Author Email"),
        "maintainer": tk._("Maintainer"),
        "maintainer_email": tk._("Maintainer Email"),
        "extras": tk._("Custom fields"),
        "resources": tk._("Resources"),
    }


def _resource_labels() -> dict[str, str]:
    return {
        "name": tk._("Name"),
        "description": tk._("Description"),
        "format": tk._("Format"),
        "url": tk._("File or link"),
        "url_type": tk._("Kind of link"),
        "hash": tk._("Checksum"),
        "sha256": tk._("Checksum"),
        "size": tk._("Size in bytes"),
        "mimetype": tk._("Media type"),
        "created": tk._("Created"),
        "last_modified": tk._("Data last updated"),
    }


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
    group = model.Group.get(value) if isinstance(value, str) and "\0" not in value else None
    return group.display_name if group and group.state == "active" else tk._("an organization that is gone")


def _visibility(value: Any) -> str:
    return tk._("Private") if value is True else tk._("Public") if value is False else str(value)


_NAMED = {"license_id": _license, "owner_org": _organization, "private": _visibility}
