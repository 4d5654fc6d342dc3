"""What a portal's own schema says of a dataset's fields: ckanext-scheming's, where the dataset's type has one.

A field is a dict, as ckanext-scheming's schema has it.
"""

from __future__ import annotations

import re
from typing import Any

import ckantoolkit as tk
from werkzeug.datastructures import MultiDict

Field = dict[str, Any]


def fields(dataset_type: str, *, of_resource: bool = False) -> dict[str, Field]:
    """The fields of a dataset or a resource by their names, in their order; none where there is no schema."""
    if "scheming_get_dataset_schema" not in tk.h:
        return {}
    schema = tk.h.scheming_get_dataset_schema(dataset_type) or {}
    listed = schema.get("resource_fields" if of_resource else "dataset_fields", ())
    return {field["field_name"]: field for field in listed}


def label(field: Field) -> str:
    """What the form calls a field, in the language of the page; "" where it has no name for it."""
    return str(tk.h.scheming_language_text(field["label"])) if field.get("label") else ""


def choice(field: Field, value: Any) -> str:
    """What the form calls a value: for a field with choices, the name of the choice."""
    if "choices" in field or "choices_helper" in field:
        for each in tk.h.scheming_field_choices(field) or ():
            if each["value"] == value:
                return str(tk.h.scheming_language_text(each.get("label") or value))
    return str(value)


def subfields(field: Field) -> dict[str, Field]:
    """The fields within a field that is a list of dicts."""
    return {each["field_name"]: each for each in field.get("repeating_subfields", ())}


def typed(form: MultiDict[str, str], dataset_type: str, *, of_resource: bool = False) -> dict[str, list[Any]]:
    """What a form says for the fields that have several values, as a dataset has them.

    A form sends nothing for a list that was emptied, so all such fields are told, but for those on other pages of a
    form that has several.
    """
    pages = tk.h.scheming_get_dataset_form_pages(dataset_type) if fields(dataset_type) and not of_resource else ()
    found: dict[str, list[Any]] = {}
    for name, field in fields(dataset_type, of_resource=of_resource).items():
        snippet = field.get("form_snippet", "")
        if subfields(field):
            found[name] = _groups(form, name)
        elif snippet and snippet.startswith("multiple_"):
            found[name] = [value for value in form.getlist(name) if value]
    return {name: values for name, values in found.items() if values or not pages}


def _groups(form: MultiDict[str, str], name: str) -> list[dict[str, str]]:
    """Subfields are sent as ``contacts-0-name``."""
    groups: dict[int, dict[str, str]] = {}
    for key, value in form.items():
        if match := re.fullmatch(rf"{re.escape(name)}-(\d+)-(.+)", key):
            groups.setdefault(int(match[1]), {})[match[2]] = value
    return [group for _, group in sorted(groups.items())]
