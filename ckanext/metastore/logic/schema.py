"""What each action takes. Every parameter has one validator chain; its errors come back under the parameter's name."""

from __future__ import annotations

from typing import Any

import ckantoolkit as tk

from ckanext.metastore.overview import ORDER
from ckanext.metastore.pulling import STRATEGIES

Schema = dict[str, list[Any]]


def validate(data_dict: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """The validated parameters; those that are missing, or were not asked for, are left out.

    :raises toolkit.ValidationError: with one entry for each parameter at fault
    """
    known = {name: _in_one_piece(value) for name, value in data_dict.items() if name in schema}
    data, errors = tk.navl_validate(known, schema, {})
    if errors:
        raise tk.ValidationError(errors)
    return {name: value for name, value in data.items() if name in schema}


def _in_one_piece(value: Any) -> Any:
    """A list of dicts, which nothing here takes, so that its validators see it: CKAN 2.11 would drop it unseen."""
    return [value] if isinstance(value, list) and value and isinstance(value[0], dict) else value


def _chain(*names: str) -> list[Any]:
    return [tk.get_validator(name) for name in names]


def _default(value: Any) -> Any:
    return tk.get_validator("default")(value)


def _id() -> list[Any]:
    return _chain("not_empty", "metastore_text")


def dataset() -> Schema:
    """A dataset, by id or name."""
    return {"id": _id()}


def past() -> Schema:
    """A dataset or resource as it was."""
    return {
        "revision_ref": _chain("ignore_missing", "metastore_ref"),
        "as_of": _chain("ignore_missing", "metastore_time"),
        "package_id": _chain("ignore_missing", "metastore_text"),
    }


def save() -> Schema:
    """What a save may say beside the dataset."""
    return {
        "revision_message": _chain("ignore_missing", "metastore_message"),
        "base_revision": _chain("ignore_missing", "metastore_sha"),
    }


def history_show() -> Schema:
    """A dataset, and whether to tell what is published."""
    return {"id": _id(), "publishing": [_default(False), *_chain("metastore_flag")]}


def publishing_list() -> Schema:
    """A page of datasets that are not published, perhaps of one state only."""
    return {
        "state": [tk.get_validator("ignore_empty"), tk.get_validator("one_of")(list(ORDER))],
        "limit": [_default(20), *_chain("metastore_limit")],
        "offset": [_default(0), *_chain("metastore_offset")],
    }


def pull() -> Schema:
    """A dataset, and which side counts."""
    return {"id": _id(), "strategy": [_default("merge"), tk.get_validator("one_of")(list(STRATEGIES))]}


def revision_list() -> Schema:
    """A page of revisions."""
    return {
        "id": _id(),
        "limit": [_default(20), *_chain("metastore_limit")],
        "offset": [_default(0), *_chain("metastore_offset")],
        "oldest_first": [_default(False), *_chain("metastore_flag")],
        "details": [_default(False), *_chain("metastore_flag")],
    }


def recent() -> Schema:
    """The newest revisions of all datasets."""
    return {"limit": [_default(20), *_chain("metastore_limit")]}


def revision_show() -> Schema:
    """One revision: named, or the newest at a time."""
    return {
        "id": _id(),
        "revision_ref": _chain("ignore_missing", "metastore_ref"),
        "as_of": _chain("ignore_missing", "metastore_time"),
    }


def revision_diff() -> Schema:
    """Two revisions, and the form in which to tell them apart."""
    return {
        "id": _id(),
        "revision_ref_a": _chain("not_empty", "metastore_ref"),
        "revision_ref_b": [_default("HEAD"), *_chain("metastore_ref")],
        "format": [_default("changes"), tk.get_validator("one_of")(["changes", "json_patch", "unified"])],
    }


def revert() -> Schema:
    """A revision to go back to, and how much of it."""
    return {
        "id": _id(),
        "to_revision_ref": _chain("not_empty", "metastore_ref"),
        "revision_message": _chain("ignore_missing", "metastore_message"),
        "fields": _chain("ignore_missing", "metastore_names"),
        "resources": _chain("ignore_missing", "metastore_names"),
        "dry_run": [_default(False), *_chain("metastore_flag")],
        "allow_private": [_default(False), *_chain("metastore_flag")],
    }


def authorize() -> Schema:
    """The scopes of a token, and how long it is to live."""
    return {
        "scopes": _chain("not_missing", "metastore_scopes"),
        "lifetime": _chain("ignore_missing", "metastore_lifetime"),
    }


def verify() -> Schema:
    """A token."""
    return {
        "token": _chain("not_empty", "metastore_text"),
        "strict": [_default(True), *_chain("metastore_flag")],
    }


def tag() -> Schema:
    """One tag."""
    return {"id": _id(), "tag": _chain("not_empty", "metastore_text")}


def tag_create() -> Schema:
    """A name for a revision."""
    return {
        "id": _id(),
        "name": _chain("not_empty", "metastore_tag_name"),
        "description": [_default(""), *_chain("metastore_message")],
        "revision_ref": [_default("HEAD"), *_chain("metastore_ref")],
    }


def tag_update() -> Schema:
    """A new name or description for a tag."""
    return {
        **tag(),
        "name": _chain("ignore_missing", "metastore_tag_name"),
        "description": _chain("ignore_missing", "metastore_message"),
    }
