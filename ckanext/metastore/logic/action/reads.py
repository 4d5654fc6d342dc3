"""CKAN's own reads, which learn to look back."""

from __future__ import annotations

from typing import Any

import ckantoolkit as tk
from ckan.logic import auth_audit_exempt

from ckanext.metastore import intent, past
from ckanext.metastore.history import History
from ckanext.metastore.logic import schema
from ckanext.metastore.logic.access import Context, ckan_errors, find_package, find_revision, may_update
from ckanext.metastore.logic.action.chain import chained, dataset_of
from ckanext.metastore.model import queries


@tk.side_effect_free
@chained("get", "package_show")
def package_show(next_action: Any, context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """
    With ckanext-metastore, the result has the ``revision_id`` of the dataset's head, and the dataset can be shown as
    it was:

    :param revision_ref: ``HEAD``, a tag, or the first 7 or more digits of a revision id (optional)
    :param as_of: an ISO 8601 time, UTC where it names no zone: the revision that was the newest then (optional)
    """
    past_params = schema.validate(data_dict, schema.past())
    if past_params.get("revision_ref") or "as_of" in past_params:
        return _as_it_was(context, data_dict, past_params)
    dataset: dict[str, Any] = next_action(context, data_dict)
    # A dict for the search index must not hold a head that the save under way is about to move.
    if not intent.active() and context.get("validate", True):
        dataset["revision_id"] = _visible_head(context, dataset["id"])
    return dataset


@auth_audit_exempt  # a resource that is gone has no auth function to ask: it is the dataset that may be read or not
@tk.side_effect_free
@chained("get", "resource_show")
def resource_show(next_action: Any, context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """
    With ckanext-metastore, the resource can be shown as it was:

    :param revision_ref: ``HEAD``, a tag, or the first 7 or more digits of a revision id of its dataset (optional)
    :param package_id: the id or name of the dataset, to find a resource that is gone now (optional)
    """
    past_params = schema.validate(data_dict, schema.past())
    if not past_params.get("revision_ref"):
        return next_action(context, data_dict)
    resource_id = tk.get_or_bust(data_dict, "id")
    dataset_id = past_params.get("package_id") or dataset_of(resource_id)
    dataset = _as_it_was(context, {"id": dataset_id}, past_params)
    for resource in dataset["resources"]:
        if resource.get("id") == resource_id:
            return {**resource, "revision_id": dataset["revision_id"]}
    raise tk.ObjectNotFound(f"Resource not found at {past_params['revision_ref']}: {resource_id}")


def _as_it_was(context: Context, data_dict: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    id_or_name = schema.validate({"id": data_dict.get("id") or data_dict.get("name_or_id")}, schema.dataset())["id"]
    package = find_package(id_or_name)
    context["package"] = package
    tk.check_access("package_show", context, {"id": package.id})
    history = History(package.id, private=may_update(context, package.id))
    with ckan_errors():
        revision = find_revision(history, params)
        return past.dataset(history.document(revision), revision)


def _visible_head(context: Context, dataset_id: str) -> str | None:
    """The newest revision that this user may see; asks CKAN only where that makes a difference."""
    head, public_head = queries.heads(dataset_id)
    if head == public_head or may_update(context, dataset_id):
        return head
    return public_head
