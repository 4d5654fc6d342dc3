"""GitHub Apps: known by a signed word, they get tokens for an hour."""

from __future__ import annotations

import time

import jwt
from flask import Response, request

from ckanext.metastore.testing.github.accounts import PERMISSIONS, App, Token, in_seconds
from ckanext.metastore.testing.github.problems import Problem, not_found, unprocessable
from ckanext.metastore.testing.github.rest.routes import Call, Routes, answer
from ckanext.metastore.testing.github.rest.shapes import app_permissions, node_id, simple_user
from ckanext.metastore.testing.github.world import secret_of

_LONGEST = 600
_DRIFT = 60
_EXPIRED = (
    "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion "
    "expires"
)
_IMMATURE = "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"


def register(routes: Routes) -> None:
    """Say what is answered here."""
    routes.add("GET", "/app", _show)
    routes.add("POST", "/app/installations/<int:number>/access_tokens", _create_token)


def _show(call: Call) -> Response:
    app = _authenticated(call)
    return answer(
        {
            "id": app.id,
            "slug": app.slug,
            "node_id": node_id("A", app.id),
            "owner": simple_user(call, call.world.accounts.get(app.account)),
            "name": app.slug,
            "description": "",
            "external_url": f"{call.site}/",
            "html_url": f"{call.site}/apps/{app.slug}",
            "created_at": app.created_at,
            "updated_at": app.created_at,
            "permissions": app_permissions(),
            "events": [],
            "installations_count": 1,
        }
    )


def _create_token(call: Call, number: int) -> Response:
    app = _authenticated(call)
    if number != app.installation_id:
        raise not_found()
    wanted = set(call.body.get("permissions") or PERMISSIONS) | {"metadata"}
    if not wanted <= PERMISSIONS:
        raise unprocessable("The permissions requested are not granted to this installation.")
    expires_at = in_seconds(call.world.installation_seconds)
    token = Token(app.account, frozenset(wanted), app_id=app.id, expires_at=expires_at)
    shown = {
        "token": call.world.accounts.issue("ghs_", token),
        "expires_at": expires_at,
        "permissions": app_permissions(token),
        "repository_selection": "all",
    }
    return answer(shown, 201)


def _authenticated(call: Call) -> App:
    """Give the App that signed what it sent.

    :raises Problem: 401, in GitHub's words
    """
    secret = secret_of(request.headers.get("Authorization", "")) or ""
    app = call.world.accounts.app(_claimed(secret))
    if app is None:
        raise Problem(404, "Integration not found")
    try:
        claims = jwt.decode(secret, app.public_key, algorithms=["RS256"], leeway=_DRIFT)
    except jwt.ExpiredSignatureError:
        raise Problem(401, _EXPIRED) from None
    except jwt.ImmatureSignatureError:
        raise Problem(401, _IMMATURE) from None
    except jwt.PyJWTError:
        raise _undecodable() from None
    if claims.get("exp", 0) > time.time() + _LONGEST + _DRIFT:
        raise Problem(401, "'Expiration time' claim ('exp') is too far in the future")
    request.environ["standin.user"] = f"app/{app.id}"
    return app


def _claimed(secret: str) -> int:
    """Read who claims to have signed, before that is believed."""
    try:
        issuer = jwt.decode(secret, options={"verify_signature": False}).get("iss")
        return int(str(issuer))
    except (jwt.PyJWTError, ValueError):
        raise _undecodable() from None


def _undecodable() -> Problem:
    return Problem(401, "A JSON web token could not be decoded")
