"""Who may call which action. An action's auth function has the action's name, and asks CKAN about the dataset.

Where the caller brings a token, it asks the policy too, of sysadmins as well: a token only narrows.

Readers of a dataset may read its history, except for what was recorded while it was not public; whoever may update
it may read all, name revisions and revert. Purging stays with sysadmins, as CKAN has it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ckantoolkit as tk
from ckan.authz import is_authorized
from ckan.types import AuthResult

from ckanext.metastore.logic import bearer
from ckanext.metastore.logic.operations import CHECKS, OPERATIONS
from ckanext.metastore.translating import _

__all__ = [
    "dataset_check",
    "dataset_history_show",
    "dataset_publish",
    "dataset_publishing_list",
    "dataset_pull",
    "dataset_revert",
    "dataset_revision_list",
    "dataset_revision_show",
    "dataset_tag_create",
    "dataset_tag_delete",
    "dataset_tag_list",
    "dataset_tag_show",
    "dataset_tag_update",
    "revision_diff",
    "site_revision_list",
]

Answer = AuthResult


def _decides(action: str) -> Callable[[Any, dict[str, Any]], Answer]:
    """Make the auth function of one of our actions."""
    operation = OPERATIONS[action] or ""

    def decide(context: Any, data_dict: dict[str, Any]) -> Answer:
        answer = is_authorized(CHECKS[operation], context, {"id": data_dict.get("id")})
        if answer["success"] and not bearer.permits(operation, data_dict.get("id")):
            return {"success": False, "msg": str(bearer.refused(action))}
        return answer

    decide.__name__ = action
    decide.__doc__ = "Readers of the dataset." if operation == "show" else "Whoever may update the dataset."
    by_rights = tk.auth_sysadmins_check(decide)
    return tk.auth_allow_anonymous_access(by_rights) if operation == "show" else by_rights


@tk.auth_allow_anonymous_access
def site_revision_list(context: Any, _data_dict: dict[str, Any]) -> Answer:
    """Whoever may search for datasets. Which ones they see is asked for each."""
    return is_authorized("package_search", context, {})


dataset_history_show = _decides("dataset_history_show")
dataset_revision_list = _decides("dataset_revision_list")
dataset_revision_show = _decides("dataset_revision_show")
revision_diff = _decides("revision_diff")
dataset_tag_list = _decides("dataset_tag_list")
dataset_tag_show = _decides("dataset_tag_show")
dataset_tag_create = _decides("dataset_tag_create")
dataset_tag_update = _decides("dataset_tag_update")
dataset_tag_delete = _decides("dataset_tag_delete")
dataset_revert = _decides("dataset_revert")
dataset_publish = _decides("dataset_publish")
dataset_pull = _decides("dataset_pull")


def _for_sysadmins(action: str) -> Callable[[Any, dict[str, Any]], Answer]:
    """Make the auth function of an action for sysadmins, whom CKAN does not ask about."""

    def decide(_context: Any, _data_dict: dict[str, Any]) -> Answer:
        return {"success": False, "msg": _("Only sysadmins may do this")}

    decide.__name__ = action
    decide.__doc__ = "Sysadmins."
    return decide


dataset_check = _for_sysadmins("dataset_check")
dataset_publishing_list = _for_sysadmins("dataset_publishing_list")
