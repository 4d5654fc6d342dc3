"""Tokens out: the actions of ckanext-authz-service, for sites that do not have it."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

import ckantoolkit as tk
from ckan import model

from ckanext.metastore import config
from ckanext.metastore.authz import InvalidToken, Scope, unverified
from ckanext.metastore.core import Invalid
from ckanext.metastore.logic import bindings, schema
from ckanext.metastore.logic.access import Context


def authz_authorize(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Get a token that says what you may do, for a service that trusts this portal, or for a program.

    What you may not do is left out of the token. Who is not logged in gets one for what is public.

    :param scopes: such as ``ds:<organization>/<dataset>:read,update``; several with a space between each two, or as a
        list
    :type scopes: string or list of strings
    :param lifetime: for how many seconds the token is to be valid (optional, default: as long as the portal allows)
    :type lifetime: int

    :returns: a dict with ``user_id``, the user's name or None; ``token``; ``expires_at`` (ISO 8601, UTC);
        ``requested_scopes`` and ``granted_scopes``, lists of strings
    :rtype: dict
    """
    params = schema.validate(data_dict, schema.authorize())
    try:
        requested: list[Scope] = params["scopes"]
        granted = [scope for scope in (bindings.granted(each, context) for each in requested) if scope]
        user = _user(context)
        token, expires_at = config.token_issuer().issue(
            granted,
            lifetime=min(params.get("lifetime") or config.max_lifetime(), config.max_lifetime()),
            subject=user.name if user else None,
            name=user.fullname if user else None,
            email=user.email if user and config.tokens_have_email() else None,
        )
    except Invalid as error:
        raise tk.ValidationError({error.field: [error.reason]}) from error
    return {
        "user_id": user.name if user else None,
        "token": token,
        "expires_at": datetime.fromtimestamp(expires_at, timezone.utc).isoformat(),
        "requested_scopes": [str(scope) for scope in requested],
        "granted_scopes": [str(scope) for scope in granted],
    }


def _user(context: Context) -> Any:
    user = context.get("auth_user_obj") or (model.User.get(context["user"]) if context.get("user") else None)
    return user if user and not user.is_anonymous and user.is_active else None


@tk.side_effect_free
def authz_verify(_context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Verify a token that this portal has issued.

    :param token: the token
    :type token: string
    :param strict: without it, what a token says that cannot be verified is given all the same (optional, default: true)
    :type strict: bool

    :returns: a dict with ``verified``, and ``payload``, the token's claims, or ``message``, why not
    :rtype: dict
    """
    params = schema.validate(data_dict, schema.verify())
    try:
        return {"verified": True, "payload": config.token_verifier().payload(params["token"])}
    except InvalidToken as error:
        refusal = {"verified": False, "message": str(error)}
    if not params["strict"]:
        with suppress(InvalidToken):
            refusal["payload"] = unverified(params["token"])
    return refusal


@tk.side_effect_free
def authz_public_key(_context: Context, _data_dict: dict[str, Any]) -> dict[str, Any]:
    """Get the key that proves this portal's tokens; more than one, while keys are changed.

    :returns: a dict with ``public_key``, in PEM
    :rtype: dict
    """
    try:
        return {"public_key": config.key_ring().keys().pem}
    except Invalid as error:
        raise tk.ObjectNotFound("This portal has no public key") from error
