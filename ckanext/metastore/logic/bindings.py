"""What a user may do, in the words of scopes: what a token may be given.

Each scope is looked at with a context of its own, and each action in it asks CKAN. Of what is not granted nothing is
said, and what is not known is not granted.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import ckantoolkit as tk
from ckan import model
from ckan.authz import auth_functions_list, has_user_permission_for_group_or_org

from ckanext.metastore.authz import Scope
from ckanext.metastore.core import Invalid
from ckanext.metastore.logic.access import Context
from ckanext.metastore.model.queries import can_be

Checks = dict[str, str]
"""Action -> CKAN's auth function, or a role's permission in an organization."""

_ORGANIZATION: Checks = {
    action: f"organization_{name}"
    for action, name in {
        "read": "show",
        "update": "update",
        "patch": "patch",
        "delete": "delete",
        "purge": "purge",
    }.items()
}
_PART: Checks = {
    "read": "package_show",
    "update": "package_update",
    "patch": "package_update",
    "delete": "package_delete",
    "purge": "dataset_purge",
}
_DATASET: Checks = {
    **_PART,
    "tag": "dataset_tag_create",
    "revert": "dataset_revert",
}
_COLLECTION: Checks = {"create": "package_create", "list": "organization_show"}
_EACH_DATASET: Checks = {
    "read": "read",
    "update": "update_dataset",
    "patch": "update_dataset",
    "delete": "delete_dataset",
    "tag": "update_dataset",
    "revert": "update_dataset",
}
_RESOURCE: Checks = {"read": "resource_show", "update": "resource_update", "delete": "resource_delete"}
_EACH_RESOURCE: Checks = {"read": "package_show", "update": "package_update", "delete": "package_update"}
_FILES: Checks = {"read": "package_show", "write": "package_update"}

SUBSCOPES = {"ds": frozenset({"data", "metadata"})}
"""The parts that an entity of each type has."""

IAuthorizationBindings: Any
try:
    IAuthorizationBindings = import_module("ckanext.authz_service.interfaces").IAuthorizationBindings
except ImportError:
    IAuthorizationBindings = None


def granted(scope: Scope, context: Context) -> Scope | None:
    """Give the scope with those of its actions that this user may do; None if there is none.

    :raises Invalid: there is no such type of entity
    """
    if scope.type not in _TYPES:
        raise Invalid("scopes", f"{str(scope)!r} is of an unknown type; it must be one of {', '.join(_TYPES)}")
    if scope.subscope and scope.subscope not in SUBSCOPES.get(scope.type, ()):
        return None
    who = {"user": context.get("user") or "", "auth_user_obj": context.get("auth_user_obj")}
    may = _TYPES[scope.type](scope, who)
    actions = tuple(action for action in dict.fromkeys(scope.actions) if action in may)
    return Scope(scope.type, scope.ref, actions, scope.subscope) if actions else None


def _on_organization(scope: Scope, who: Context) -> set[str]:
    organization = _organization(scope.ref)
    return _asked(_ORGANIZATION, scope, who, {"id": organization.id}) if organization else set()


def _on_datasets(scope: Scope, who: Context) -> set[str]:
    match scope.segments:
        case (organization, "") if found := _organization(organization):
            return _asked(_COLLECTION, scope, who, {"id": found.id, "owner_org": found.id})
        case (organization, "*") if found := _organization(organization):
            return {action for action in scope.actions if _for_each(found.id, _EACH_DATASET.get(action), who)}
        case (_, _) | (_,) if package := _dataset(scope.segments):
            return _asked(_PART if scope.subscope else _DATASET, scope, who, {"id": package.id})
    return set()


def _on_resources(scope: Scope, who: Context) -> set[str]:
    package = _dataset(scope.segments[:2]) if len(scope.segments) == 3 else None
    if package is None:
        return set()
    match scope.segments[2]:
        case "":
            return _asked({"create": "resource_create"}, scope, who, {"package_id": package.id})
        case "*":
            return _asked(_EACH_RESOURCE, scope, who, {"id": package.id})
        case wanted if any(resource.id == wanted for resource in package.resources):
            return _asked(_RESOURCE, scope, who, {"id": wanted})
    return set()


def _on_files(scope: Scope, who: Context) -> set[str]:
    *dataset, file = scope.segments
    package = _dataset(tuple(dataset)) if len(dataset) == 2 and file == "*" else None
    return _asked(_FILES, scope, who, {"id": package.id}) if package else set()


_TYPES: dict[str, Callable[[Scope, Context], set[str]]] = {
    "ds": _on_datasets,
    "org": _on_organization,
    "res": _on_resources,
    "obj": _on_files,
}
"""Type of entity -> what a user may do with it."""


def _asked(checks: Checks, scope: Scope, who: Context, data_dict: dict[str, Any]) -> set[str]:
    return {action for action in scope.actions if action in checks and _may(checks[action], who, data_dict)}


def _may(check: str, who: Context, data_dict: dict[str, Any]) -> bool:
    if check not in auth_functions_list():  # one of the plugin metastore's, which is not loaded
        return False
    try:
        tk.check_access(check, dict(who), dict(data_dict))
    except (tk.NotAuthorized, tk.ObjectNotFound):
        return False
    return True


def _for_each(organization_id: str, permission: str | None, who: Context) -> bool:
    """Whether a role allows it for all of an organization's datasets, private ones too."""
    return permission is not None and has_user_permission_for_group_or_org(organization_id, who["user"], permission)


def _organization(segment: str) -> model.Group | None:
    group = model.Group.get(segment) if can_be(segment) else None
    return group if group and group.is_organization and group.state == model.State.ACTIVE else None


def _dataset(segments: tuple[str, ...]) -> model.Package | None:
    """Find the dataset, if it is that organization's, where one is named."""
    *above, last = segments
    package = model.Package.get(last) if can_be(last) else None
    if package is None or not above:
        return package
    organization = _organization(above[0])
    return package if organization and organization.id == package.owner_org else None


def register(authorizer: Any) -> None:
    """Tell ckanext-authz-service of tags, reverts and files.

    :param authorizer: its authorizer; each function that is registered gets a context and the parsed ref, and gives
        the actions that the user may do
    """
    authorizer.register_authorizer("ds", _bound("ds", "tag"), actions={"tag"}, append=True)
    authorizer.register_authorizer("ds", _bound("ds", "revert"), actions={"revert"}, append=True)
    authorizer.register_authorizer("obj", _bound("obj", "read", "write"), actions={"read", "write"}, append=True)


def _bound(type_: str, *actions: str) -> Callable[..., set[str]]:
    def authorize(context: Context | None = None, **parsed: str | None) -> set[str]:
        ref = _ref(type_, parsed)
        who = context or {"user": tk.current_user.name}
        found = granted(Scope(type_, ref, actions), who) if ref else None
        return set(found.actions) if found else set()

    return authorize


def _ref(type_: str, parsed: dict[str, str | None]) -> str | None:
    """Put a ref together again that ckanext-authz-service, or an extension that knows files, has taken apart."""
    named = (parsed.get(name) for name in ("organization_id", "dataset_id", "id"))
    segments = [segment for segment in named if segment]
    if type_ == "obj":
        # Who may have one of a dataset's files may have them all.
        return "/".join([*"/".join(segments).split("/")[:2], "*"])
    return "/".join(segments) if parsed.get("id") else None
