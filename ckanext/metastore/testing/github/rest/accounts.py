"""Who one is, who there is, and what one may still ask."""

from __future__ import annotations

import time

from flask import Response

from ckanext.metastore.testing.github.problems import lacks_permission, not_found
from ckanext.metastore.testing.github.rest.routes import Call, Routes, answer
from ckanext.metastore.testing.github.rest.shapes import organization, private_user, public_user

HOURLY_LIMIT = 5000


def register(routes: Routes) -> None:
    """Say what is answered here."""
    routes.add("GET", "/user", _me)
    routes.add("GET", "/users/<login>", _user)
    routes.add("GET", "/orgs/<login>", _organization)
    routes.add("GET", "/rate_limit", _rate_limit)
    routes.add("GET", "/meta", _meta)


def _me(call: Call) -> Response:
    if call.bearer.app_id is not None:
        raise lacks_permission(app=True)
    return answer(private_user(call, call.world.accounts.get(call.bearer.owner)))


def _user(call: Call, login: str) -> Response:
    return answer(public_user(call, call.world.accounts.get(login)))


def _organization(call: Call, login: str) -> Response:
    account = call.world.accounts.get(login)
    if not account.is_organization:
        raise not_found()
    return answer(organization(call, account))


def _rate_limit(_call: Call) -> Response:
    """This costs nothing, and nothing is counted here: limits are a matter of faults."""
    limit = {"limit": HOURLY_LIMIT, "used": 0, "remaining": HOURLY_LIMIT, "reset": int(time.time()) + 3600}
    return answer({"resources": {"core": limit, "search": {**limit, "limit": 30, "remaining": 30}}, "rate": limit})


def _meta(_call: Call) -> Response:
    return answer({"verifiable_password_authentication": False, "installed_version": "3.19.0"})
