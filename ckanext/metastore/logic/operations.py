"""Which operation of the policy each action is, and which dataset a call of it is about."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import ckantoolkit as tk
from ckan import model

from ckanext.metastore.authz import Named, Target
from ckanext.metastore.model.queries import can_be

Finder = Callable[[dict[str, Any]], Any]

CHECKS = {
    "show": "package_show",
    "update": "package_update",
    "tag": "package_update",
    "revert": "package_update",
}
"""Operation -> the auth function of CKAN's that decides, for actions of our own. CKAN's actions ask their own."""

OPERATIONS: dict[str, str | None] = {
    "package_show": "show",
    "resource_show": "show",
    "dataset_history_show": "show",
    "dataset_revision_list": "show",
    "dataset_revision_show": "show",
    "revision_diff": "show",
    "dataset_tag_list": "show",
    "dataset_tag_show": "show",
    "package_create": "create",
    "package_update": "update",
    "package_patch": "update",
    "package_revise": "update",
    "package_resource_reorder": "update",
    "package_owner_org_update": "update",
    "resource_create": "update",
    "resource_update": "update",
    "resource_patch": "update",
    "resource_delete": "update",
    "dataset_publish": "update",
    "dataset_pull": "update",
    "dataset_tag_create": "tag",
    "dataset_tag_update": "tag",
    "dataset_tag_delete": "tag",
    "dataset_revert": "revert",
    "package_delete": "delete",
    "dataset_purge": "purge",
    # What is for sysadmins, or about more than one dataset: no scope allows that.
    "dataset_check": None,
    "dataset_publishing_list": None,
    "bulk_update_delete": None,
    "bulk_update_private": None,
    "bulk_update_public": None,
    "group_create": None,
    "group_delete": None,
    "group_patch": None,
    "group_purge": None,
    "group_update": None,
    "member_create": None,
    "member_delete": None,
    "organization_delete": None,
    "organization_purge": None,
    "site_revision_list": None,
}
"""Action -> operation, for every action that this extension has or chains."""


def dataset_in(action: str, data_dict: dict[str, Any]) -> model.Package | None:
    """The dataset that a call is about, found as the action itself will find it."""
    return dataset_named(_FINDERS.get(action, _by("id"))(data_dict))


def dataset_named(id_or_name: Any) -> model.Package | None:
    """The dataset of that id or name; None where there is none, or where it can be no name."""
    return model.Package.get(id_or_name) if isinstance(id_or_name, str) and can_be(id_or_name) else None


def _by(*names: str) -> Finder:
    """Take the first of these parameters that says something."""

    def find(data_dict: dict[str, Any]) -> Any:
        return next((data_dict[name] for name in names if data_dict.get(name)), None)

    return find


def _by_resource(data_dict: dict[str, Any]) -> str | None:
    wanted = data_dict.get("id")
    resource = model.Resource.get(wanted) if isinstance(wanted, str) and can_be(wanted) else None
    return str(resource.package_id) if resource else None


def _by_past_resource(data_dict: dict[str, Any]) -> Any:
    """Only who looks back may say where."""
    return (data_dict.get("revision_ref") and data_dict.get("package_id")) or _by_resource(data_dict)


def _by_match(data_dict: dict[str, Any]) -> Any:
    """CKAN reads each of these texts as JSON, if it is some: ``match__id="null"`` says nothing."""
    read = tk.get_validator("json_or_string")
    match = read(data_dict.get("match"))
    match = match if isinstance(match, dict) else {}
    ids = read(data_dict.get("match__id")), match.get("id")
    names = read(data_dict.get("match__name")), match.get("name")
    return next(filter(None, (*ids, *names)), None)


_FINDERS: dict[str, Finder] = {
    "package_show": _by("id", "name_or_id"),
    "package_update": _by("id", "name"),
    "package_revise": _by_match,
    "resource_create": _by("package_id"),
    "resource_delete": _by_resource,
    "resource_patch": _by_resource,
    "resource_show": _by_past_resource,
    "resource_update": _by_resource,
}


def target_of(package: model.Package) -> Target:
    """A dataset as scopes name it: with the organization and the name that it has now."""
    organization = model.Group.get(package.owner_org) if package.owner_org else None
    created = package.metadata_created and package.metadata_created.replace(tzinfo=timezone.utc)
    return Target(_organization(organization) if organization else None, _named(package, created))


def collection_of(organization: Any) -> Target | None:
    """What creating a dataset is about; None where there is no such organization.

    :param organization: its id or name
    """
    found = model.Group.get(organization) if isinstance(organization, str) and can_be(organization) else None
    return Target(_organization(found)) if found and found.is_organization else None


def _organization(group: model.Group) -> Named:
    # Of an organization CKAN keeps the local time, not UTC, and so does a time without a zone in Python.
    return _named(group, group.created)


def _named(entity: Any, created: datetime | None) -> Named:
    return Named(entity.id, entity.name, created.timestamp() if created else 0)
