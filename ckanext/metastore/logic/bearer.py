"""Tokens in: a request that brings a JWT acts as the token's subject, within the token's scopes.

This holds for the action that is called by the API, if it is ours or one that we chain, and for what that action calls.
All others take the token for no credential at all. CKAN's hooks that identify a user are of no use here: they would
make the bearer that user, with all rights, everywhere.

CKAN's ``identify`` verifies (:func:`identify`), :func:`guarded` admits, and our auth functions ask :func:`permits`.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

import ckan.plugins as p
import ckantoolkit as tk
from ckan import model
from flask import Response, g, has_request_context

from ckanext.metastore import authz, config
from ckanext.metastore.authz import Claims, InvalidToken, Target
from ckanext.metastore.logic.access import Context, may_show
from ckanext.metastore.logic.operations import OPERATIONS, collection_of, dataset_in, dataset_named, target_of
from ckanext.metastore.translating import _

log = logging.getLogger(__name__)

_BEARER = re.compile(r"\s*bearer(?:\s+(.*))?", re.IGNORECASE | re.ASCII | re.DOTALL)


@dataclass
class Bearer:
    """Who brings a token with this request.

    :param action: the action that is called
    :param account: the token's subject; None for nobody in particular
    :param acting: whether the action is under way
    :param package: the dataset that it is about; None where there is none yet
    """

    action: str
    claims: Claims
    account: model.User | None
    acting: bool = False
    package: model.Package | None = None

    def permits(self, operation: str, target: Target) -> bool:
        """Whether a scope of the token allows it."""
        return authz.permits(self.claims.scopes, operation, target, issued_at=self.claims.issued_at)


def accepted() -> bool:
    """Whether this site has tokens at all: by our own plugin, or by ckanext-authz-service."""
    return p.plugin_loaded("metastore_authz") or p.plugin_loaded("authz_service")


def brings_token() -> bool:
    """Whether this request calls one of our actions, or one that we chain, and brings a token."""
    return _header() is not None and _action() in OPERATIONS and accepted()


def _header() -> re.Match[str] | None:
    return _BEARER.fullmatch(tk.request.headers.get("Authorization", "")) if has_request_context() else None


def _action() -> str | None:
    is_action = tk.request.endpoint == "api.action"
    return (tk.request.view_args or {}).get("logic_function") if is_action else None


def identify() -> Response | None:
    """Verify the token of this request, if it brings one, and remember who brings it.

    :returns: None, or the answer to a token that is refused: 401 (RFC 6750)
    """
    g.pop("metastore_bearer", None)  # of a request before, where an application context outlives it
    if not brings_token():
        return None
    header, action = _header(), _action()
    _become(None)
    assert header
    assert action
    # Whatever the answer is, no cache may give it to others.
    tk.request.environ["__no_cache__"] = True
    try:
        if "callback" in tk.request.args:
            raise InvalidToken("it came with callback (JSONP)")
        claims = config.token_verifier().verify(header[1] or "")
        g.metastore_bearer = Bearer(action, claims, _account(claims.subject))
    except InvalidToken as error:
        log.info("A token was refused: %s", error)
        return _refusal(action)
    # As with CKAN's own API tokens: no browser sends this header by itself, so there is no request to be forged.
    g.login_via_auth_header = True
    return None


def _account(name: str | None) -> model.User | None:
    if name is None:
        return None
    account = model.User.by_name(name)
    if account is None or account.state != model.State.ACTIVE:
        raise InvalidToken(f"its subject {name} is no active user")
    return account


def _refusal(action: str) -> Response:
    """Answer in the form that CKAN gives to all refusals."""
    address = tk.url_for("api.action", logic_function="help_show", ver=3, name=action, _external=True)
    error = {"__type": "Authorization Error", "message": _("Access denied: %s") % "this token is not valid here"}
    content = json.dumps({"help": address, "error": error, "success": False})
    headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    return Response(content, status=401, headers=headers, content_type="application/json;charset=utf-8")


def _presented() -> Bearer | None:
    return g.get("metastore_bearer") if has_request_context() else None


def permits(operation: str, id_or_name: Any) -> bool:
    """Whether the token in use, if one is, allows an operation on a dataset."""
    bearer = _presented()
    if bearer is None or not bearer.acting:
        return True
    package = dataset_named(id_or_name)
    return package is not None and bearer.permits(operation, target_of(package))


def guarded(name: str, action: Callable[..., Any]) -> Callable[..., Any]:
    """Let an action be called with a token, within its scopes. Without one nothing changes."""

    @wraps(action)
    def run(*arguments: Any) -> Any:
        bearer = _presented()
        if bearer is None:
            return action(*arguments)
        context, data_dict = arguments[-2:]
        if bearer.acting:
            _confine(bearer, name, context, data_dict)
        elif bearer.action == name:
            with _acting(bearer, context):
                _admit(bearer, context, data_dict)
                _confine(bearer, name, context, data_dict)
                return action(*arguments)
        return action(*arguments)

    return run


def refused(action: str) -> Exception:
    """One refusal for all that a token does not allow: nothing tells whether there is such a dataset."""
    return tk.NotAuthorized(f"This token does not allow {action} here")


def _admit(bearer: Bearer, context: Context, data_dict: dict[str, Any]) -> None:
    operation = OPERATIONS[bearer.action]
    if operation == "create":
        target, may = collection_of(data_dict.get("owner_org")), True
    else:
        package = bearer.package = dataset_in(bearer.action, data_dict)
        target = target_of(package) if package else None
        who = {"user": context["user"], "auth_user_obj": context["auth_user_obj"]}
        may = package is not None and may_show(who, package)
    if operation is None or target is None or not bearer.permits(operation, target) or not may:
        raise refused(bearer.action)


def _confine(bearer: Bearer, name: str, context: Context, data_dict: dict[str, Any]) -> None:
    """Hold a save to the token's scopes: on another dataset, in another organization, and where it deletes.

    Most of CKAN's writers end in ``package_update``, whatever they were told.
    """
    package = dataset_in(name, data_dict) if name in {"package_update", "package_owner_org_update"} else None
    if package is None or bearer.package is None or context.get("ignore_auth"):
        return
    target = target_of(package)
    if package.id != bearer.package.id and not bearer.permits("update", target):
        raise refused(name)
    if data_dict.get("state") == "deleted" != package.state and not bearer.permits("delete", target):
        raise refused(name)
    _confine_move(bearer, name, package, data_dict)


def _confine_move(bearer: Bearer, name: str, package: model.Package, data_dict: dict[str, Any]) -> None:
    """To move a dataset to an organization is to create it there."""
    said = "owner_org" if name == "package_update" else "organization_id"
    # What is not said stays as it is, but with package_owner_org_update the dataset would belong to nobody.
    if said not in data_dict and name == "package_update":
        return
    wanted = data_dict.get(said)
    if (wanted or None) == package.owner_org:
        return
    collection = collection_of(wanted)
    destination = collection.organization if collection else None
    if collection is None or destination is None:
        raise refused(name)
    if package.owner_org != destination.id and not bearer.permits("create", collection):
        raise refused(name)


@contextmanager
def _acting(bearer: Bearer, context: Context) -> Iterator[None]:
    """Act as the token's subject."""
    account = bearer.account
    context.update({"user": account.name if account else "", "auth_user_obj": account})
    context.pop("__auth_user_obj_checked", None)
    _become(account)
    bearer.acting = True
    try:
        yield
    finally:
        bearer.acting = False
        _become(None)


def _become(account: model.User | None) -> None:
    """Let this request come from an account, or from nobody, in place of whoever a session cookie beside it names."""
    g.user, g.userobj = account.name if account else "", account
    # Flask-Login has no other way to change the user of one request, and of nothing else.
    g._login_user = account or model.AnonymousUser()
