"""Going back: the dataset becomes what it was, by a new revision, and what cannot come back is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ckantoolkit as tk
from ckan import model
from ckan.authz import has_user_permission_for_group_or_org
from ckan.lib.plugins import get_permission_labels
from ckan.lib.uploader import get_resource_uploader

from ckanext.metastore import mapper
from ckanext.metastore.core.diff import diff
from ckanext.metastore.core.restore import restore
from ckanext.metastore.core.types import Change
from ckanext.metastore.history import History
from ckanext.metastore.model.queries import Row
from ckanext.metastore.translating import _

Dataset = dict[str, Any]


@dataclass
class Plan:
    """What a revert is going to do.

    :param target: the dataset as it is to be saved
    :param changes: what that changes
    :param warnings: what cannot be restored, each with its name
    :param base_revision: the head that the plan was made on
    """

    target: Dataset
    changes: list[Change]
    warnings: list[str]
    message: str
    base_revision: str


def plan(history: History, params: dict[str, Any], context: dict[str, Any]) -> Plan:
    """Work out what it takes to go back.

    :param params: as ``dataset_revert`` takes them
    :param context: of the user who reverts
    :raises NotFound: there is no such revision
    :raises toolkit.ValidationError: the revision was not public, the dataset is, and ``allow_private`` is not set
    """
    revision = history.resolve(params["to_revision_ref"], field="to_revision_ref")
    _check_private(history, revision, allowed=params["allow_private"])
    base = history.head().sha
    current = mapper.recorded(_show(history.dataset_id))
    old = mapper.to_dataset(history.document(revision))
    target = restore(current, old, fields=params.get("fields"), resources=params.get("resources"))
    target |= {"groups": list(target["groups"]), "tags": list(target["tags"])}
    warnings = [*_group_warnings(current, target, context), *_vocabulary_warnings(target)]
    if params.get("fields") is None and params.get("resources") is None:
        warnings += _organization_warnings(old)
    warnings += _resource_warnings(current, target)
    message = params.get("revision_message") or f"Revert to {params['to_revision_ref']}"
    return Plan(target, diff(current, target), warnings, message, base)


def carry_out(plan: Plan, context: dict[str, Any]) -> Dataset:
    """Save the target through CKAN, with all its validators, and look what came of it.

    :param context: of the user who reverts
    :returns: the dataset, with ``revision_id``; the plan's warnings name what CKAN did not take
    """
    params = {"revision_message": plan.message, "base_revision": plan.base_revision}
    try:
        resources = prepared(plan.target["resources"])
        saved = tk.get_action("package_update")(context, {**plan.target, **params, "resources": resources})
    except Exception:
        model.Session.rollback()
        raise
    dataset = {**_show(plan.target["id"]), "revision_id": saved["revision_id"]}
    left = diff(plan.target, mapper.recorded(dataset))
    inexact = _("{field} could not be restored exactly")
    plan.warnings += [inexact.format(field=" / ".join(change.path)) for change in left]
    return dataset


def prepared(resources: list[Dataset]) -> list[Dataset]:
    """Resources for ``package_update``, so that they become what they say.

    The columns that are to be null are emptied: CKAN leaves those of a resource that it has already as they are. And
    that a resource is in the DataStore, which no history tells, stays so: CKAN would forget it.
    """
    return [_prepared(resource) for resource in resources]


def _prepared(resource: Dataset) -> Dataset:
    row = model.Resource.get(resource["id"]) if "id" in resource else None
    if row is None:
        return resource
    for column in row.get_columns():
        if column in resource and resource[column] is None:
            setattr(row, column, None)
    kept = row.extras.get("datastore_active") if row.state == "active" else None
    return resource if kept is None else {**resource, "datastore_active": kept}


def _show(dataset_id: str) -> Dataset:
    return tk.get_action("package_show")({"ignore_auth": True, "use_cache": False}, {"id": dataset_id})


def _check_private(history: History, revision: Row, *, allowed: bool) -> None:
    labels = get_permission_labels().get_dataset_labels(model.Package.get(history.dataset_id))
    if "public" in labels and not revision.public and not allowed:
        reason = _("Revision {id} was not public, and the dataset is: set allow_private to publish what it holds")
        raise tk.ValidationError({"allow_private": [reason.format(id=revision.sha)]})


def _group_warnings(current: Dataset, target: Dataset, context: dict[str, Any]) -> Iterator[str]:
    """Leave out the groups that are gone, and those that this user may not add a dataset to: CKAN would refuse all."""
    now = {group["id"] for group in current["groups"]}
    for group in list(target["groups"]):
        found = model.Group.get(group["id"])
        if found is None or found.state != "active":
            target["groups"].remove(group)
            yield _("The group {name} is gone: the dataset is no longer in it").format(name=group["name"])
        elif group["id"] not in now and not _may_manage(group["id"], context):
            target["groups"].remove(group)
            sentence = _("The group {name} takes datasets only from its own editors: the dataset is not in it")
            yield sentence.format(name=group["name"])


def _may_manage(group_id: str, context: dict[str, Any]) -> bool:
    return bool(
        context.get("ignore_auth")
        or has_user_permission_for_group_or_org(group_id, context.get("user") or "", "manage_group")
    )


def _vocabulary_warnings(target: Dataset) -> Iterator[str]:
    for tag in list(target["tags"]):
        if tag.get("vocabulary_id") and model.Vocabulary.get(tag["vocabulary_id"]) is None:
            target["tags"].remove(tag)
            sentence = _("The vocabulary {id} of the tag {name} is gone: the tag is left out")
            yield sentence.format(id=tag["vocabulary_id"], name=tag["name"])


def _organization_warnings(old: Dataset) -> Iterator[str]:
    """The owner is never changed by a revert; one that is gone is worth telling."""
    owner = model.Group.get(old["owner_org"]) if old.get("owner_org") else None
    if old.get("owner_org") and (owner is None or owner.state != "active"):
        name = owner.name if owner else old["owner_org"]
        sentence = _("The organization {name}, which owned the dataset then, is gone: the owner stays as it is")
        yield sentence.format(name=name)


def _resource_warnings(current: Dataset, target: Dataset) -> Iterator[str]:
    now = {resource.get("id"): resource for resource in current["resources"]}
    for resource in target["resources"]:
        name = resource.get("name") or resource.get("id")
        before = now.get(resource.get("id"))
        if before is None:
            yield _("The resource {name} comes back without its views").format(name=name)
        if resource.get("url_type") == "upload":
            yield from (sentence.format(name=name) for sentence in _upload_warnings(before, resource))


def _upload_warnings(before: Dataset | None, resource: Dataset) -> Iterator[str]:
    if not _is_stored(resource):
        yield _("The resource {name}: its uploaded file is no longer stored")
    elif before and any(before.get(key) != resource.get(key) for key in ("url", "size", "hash", "last_modified")):
        yield _("The resource {name}: its uploaded file was replaced since, and the old one is not kept")


def _is_stored(resource: Dataset) -> bool:
    """Whether the file is there; yes, where the uploader keeps it somewhere that we cannot look into."""
    uploader = get_resource_uploader({**resource})
    if not hasattr(uploader, "get_path"):
        return True
    return Path(uploader.get_path(resource["id"])).exists()
