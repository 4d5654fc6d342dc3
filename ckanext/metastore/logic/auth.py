"""Who may call which action. An action's auth function has the action's name, and asks CKAN about the dataset.

Readers of a dataset may read its history, except for what was recorded while it was not public; whoever may update
it may read all, name revisions and revert. Purging stays with sysadmins, as CKAN has it.
"""

from __future__ import annotations

from typing import Any

import ckantoolkit as tk
from ckan.authz import is_authorized
from ckan.types import AuthResult

__all__ = [
    "dataset_publish",
    "dataset_revert",
    "dataset_revision_list",
    "dataset_revision_show",
    "dataset_tag_create",
    "dataset_tag_delete",
    "dataset_tag_list",
    "dataset_tag_show",
    "dataset_tag_update",
    "revision_diff",
]

Answer = AuthResult


def _may_read(context: Any, data_dict: dict[str, Any]) -> Answer:
    return is_authorized("package_show", context, {"id": data_dict.get("id")})


def _may_update(context: Any, data_dict: dict[str, Any]) -> Answer:
    return is_authorized("package_update", context, {"id": data_dict.get("id")})


@tk.auth_allow_anonymous_access
def dataset_revision_list(context: Any, data_dict: dict[str, Any]) -> Answer:
    """Readers of the dataset."""
    return _may_read(context, data_dict)


@tk.auth_allow_anonymous_access
def dataset_revision_show(context: Any, data_dict: dict[str, Any]) -> Answer:
    """Readers of the dataset."""
    return _may_read(context, data_dict)


@tk.auth_allow_anonymous_access
def revision_diff(context: Any, data_dict: dict[str, Any]) -> Answer:
    """Readers of the dataset, who must see both ends."""
    return _may_read(context, data_dict)


@tk.auth_allow_anonymous_access
def dataset_tag_list(context: Any, data_dict: dict[str, Any]) -> Answer:
    """Readers of the dataset."""
    return _may_read(context, data_dict)


@tk.auth_allow_anonymous_access
def dataset_tag_show(context: Any, data_dict: dict[str, Any]) -> Answer:
    """Readers of the dataset."""
    return _may_read(context, data_dict)


def dataset_tag_create(context: Any, data_dict: dict[str, Any]) -> Answer:
    """Whoever may update the dataset."""
    return _may_update(context, data_dict)


def dataset_tag_update(context: Any, data_dict: dict[str, Any]) -> Answer:
    """Whoever may update the dataset."""
    return _may_update(context, data_dict)


def dataset_tag_delete(context: Any, data_dict: dict[str, Any]) -> Answer:
    """Whoever may update the dataset."""
    return _may_update(context, data_dict)


def dataset_revert(context: Any, data_dict: dict[str, Any]) -> Answer:
    """Whoever may update the dataset."""
    return _may_update(context, data_dict)


def dataset_publish(context: Any, data_dict: dict[str, Any]) -> Answer:
    """Whoever may update the dataset."""
    return _may_update(context, data_dict)
