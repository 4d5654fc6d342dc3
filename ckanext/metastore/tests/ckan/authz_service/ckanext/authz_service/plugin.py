"""A stand-in that speaks ckanext-authz-service's protocol, as far as others see it."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import ckan.plugins as p
import ckantoolkit as tk
import jwt
from ckan import model
from flask import Blueprint, Response

from .interfaces import IAuthorizationBindings

DATASETS = {"read": "package_show", "update": "package_update", "patch": "package_update", "delete": "package_delete"}


def _option(name: str) -> Any:
    return tk.config.get(f"ckanext.authz_service.jwt_{name}")


class Authorizer:
    """Asks all that are registered for an entity type, and grants what all of them do."""

    def __init__(self) -> None:
        self._asked: dict[str, list[Any]] = {}
        self._parsers: dict[str, Any] = {}

    def register_authorizer(
        self, entity_type: str, function: Any, actions: Any = None, subscopes: Any = None, append: bool = False
    ) -> None:
        if entity_type in self._asked and not append:
            raise ValueError(f"{entity_type} has an authorizer already")
        self._asked.setdefault(entity_type, []).append((function, actions, subscopes))

    def register_entity_ref_parser(self, entity_type: str, parser: Any) -> None:
        self._parsers[entity_type] = parser

    def granted(self, scope: str, context: Any) -> str | None:
        entity_type, ref, *subscope, said = scope.split(":")
        if entity_type not in self._asked:
            raise tk.ValidationError({"scopes": [f"Unknown entity type: {entity_type}"]})
        parsed = self._parsers.get(entity_type, lambda ref: {"id": ref})(ref)
        wanted = set(said.split(","))
        found = wanted
        for function, actions, subscopes in self._asked[entity_type]:
            if (not actions or wanted & set(actions)) and (not subscope or not subscopes or subscope[0] in subscopes):
                found = found & set(function(context=context, **parsed))
        return ":".join([entity_type, ref, *subscope, ",".join(sorted(found))]) if found else None


def _dataset_ref(ref: str) -> dict[str, str | None]:
    *above, last = ref.split("/")
    return {"id": last or None, "organization_id": above[0] if above else None}


def _may_dataset(context: Any, id: str | None = None, organization_id: str | None = None) -> set[str]:  # noqa: A002
    found = set()
    for action, check in DATASETS.items():
        try:
            tk.check_access(check, {"user": context["user"]}, {"id": id})
            found.add(action)
        except (tk.NotAuthorized, tk.ObjectNotFound):
            pass
    return found


def _authorizer() -> Authorizer:
    authorizer = Authorizer()
    authorizer.register_entity_ref_parser("ds", _dataset_ref)
    authorizer.register_authorizer("ds", _may_dataset, actions=set(DATASETS))
    for plugin in p.PluginImplementations(IAuthorizationBindings):
        plugin.register_authz_bindings(authorizer)
    return authorizer


def authz_authorize(context: Any, data_dict: dict[str, Any]) -> dict[str, Any]:
    scopes = data_dict["scopes"]
    scopes = scopes.split(" ") if isinstance(scopes, str) else scopes
    authorizer = _authorizer()
    granted = [found for found in (authorizer.granted(scope, context) for scope in scopes) if found]
    user = model.User.get(context["user"]) if context.get("user") else None
    now = int(time.time())
    claims = {
        "exp": now + 900,
        "nbf": now,
        "sub": user.name if user else None,
        "iss": tk.config["ckan.site_url"],
        "name": user.fullname if user else None,
        "scopes": " ".join(granted),
    }
    token = jwt.encode(claims, Path(_option("private_key_file")).read_bytes(), "RS256")
    expires = datetime.fromtimestamp(claims["exp"], timezone.utc).isoformat()
    return {
        "user_id": claims["sub"],
        "token": token,
        "expires_at": expires,
        "requested_scopes": scopes,
        "granted_scopes": granted,
    }


@tk.side_effect_free
def authz_verify(_context: Any, _data_dict: dict[str, Any]) -> dict[str, Any]:
    return {"verified": False, "message": "It is the stand-in that says so"}


@tk.side_effect_free
def authz_public_key(_context: Any, _data_dict: dict[str, Any]) -> dict[str, Any]:
    return {"public_key": Path(_option("public_key_file")).read_text()}


class AuthzServicePlugin(p.SingletonPlugin):
    p.implements(p.IActions)
    p.implements(p.IBlueprint)

    def get_actions(self) -> dict[str, Any]:
        return {each.__name__: each for each in (authz_authorize, authz_verify, authz_public_key)}

    def get_blueprint(self) -> list[Blueprint]:
        blueprint = Blueprint("authz_service", __name__)
        blueprint.add_url_rule("/authz/public_key", view_func=lambda: Response("The stand-in's"), endpoint="public_key")
        return [blueprint]
