"""Another site's page cannot send our forms in the name of whoever looks at it."""

from __future__ import annotations

from typing import Any

import pytest
from ckan.tests import factories
from flask import url_for

from ckanext.metastore.tests.ckan.city import SITE


@pytest.fixture
def flask_app(app, portal, monkeypatch):
    """A portal as it is outside of tests."""
    monkeypatch.setitem(app.flask_app.config, "WTF_CSRF_ENABLED", True)
    return app.flask_app


@pytest.fixture
def send(flask_app):
    """Send an empty form, as a sysadmin who is logged in or as nobody."""
    logged_in = flask_app.test_client()
    with logged_in.session_transaction(base_url=SITE) as session:
        session.update({"_user_id": factories.Sysadmin()["id"], "_fresh": True})

    def post(address, headers=None, browser=logged_in):
        return browser.post(address, base_url=SITE, headers=headers, environ_overrides={"CKAN_LANG": "en"})

    return post


def _forms(flask_app):
    with flask_app.test_request_context():
        for rule in flask_app.url_map.iter_rules():
            if rule.endpoint.startswith(("metastore.", "metastore_admin.")) and "POST" in rule.methods:
                values: Any = dict.fromkeys(rule.arguments, "any")
                yield url_for(rule.endpoint, **values)


def test_every_form_wants_ckans_token(flask_app, send):
    addresses = list(_forms(flask_app))
    assert len(addresses) > 8
    for address in addresses:
        send(address, browser=flask_app.test_client())  # after which CKAN 2.12 itself asks for none
        answer = send(address)
        assert (answer.status_code, "CSRF" in answer.text) == (400, True), address


def test_an_api_token_is_enough(flask_app, send):
    token = {"Authorization": factories.APIToken(user=factories.Sysadmin()["name"])["token"]}
    answer = send("/ckan-admin/metastore/any/publish", token, flask_app.test_client())
    assert answer.status_code == 404
