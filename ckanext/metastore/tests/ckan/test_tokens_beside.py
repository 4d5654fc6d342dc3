"""A token beside other credentials, and where it is none: it wins over a session, or it counts for nothing."""

from __future__ import annotations

from typing import Any

import ckan.plugins as p
import ckantoolkit as tk
import pytest
from ckan import model
from ckan.tests import factories

from ckanext.metastore.tests.ckan.city import ref


@pytest.fixture(scope="module")
def repositories(tmp_path_factory):
    return tmp_path_factory.mktemp("repositories")


@pytest.fixture
def read(city):
    return f"ds:{ref(city.parks, city.trees)}:read"


def _show(api, dataset, headers=None):
    return api("package_show", {"id": dataset["id"]}, headers).status_code


def test_a_session_beside_it_loses(city, api, mint, read):
    api.log_in(city.boss)
    assert _show(api, city.hidden) == 200
    assert _show(api, city.trees, mint(city.edda, read)) == 200
    for headers in (mint(city.edda, read), mint(None, read), mint(city.boss, read)):
        assert _show(api, city.hidden, headers) == 403
        assert api("package_patch", {"id": city.trees["id"], "title": "Taken"}, headers).status_code == 403
    assert _show(api, city.hidden) == 200
    revisions = api("dataset_revision_list", {"id": city.trees["id"]}, mint(None, read)).json["result"]
    assert len(revisions) == 1


def test_an_invalid_one_beside_a_session_is_refused(city, api, app):
    api.log_in(city.boss)
    for value in (
        "Bearer nix",
        "Bearer",
        "Bearer ",
        "bearer nix",
        "BEARER nix",
        "Bearer\tnix",
        "Bearer  a.b.c",
        "Bearer a b",
    ):
        for action in ("package_show", "dataset_tag_create", "bulk_update_delete"):
            answer = api(action, {"id": city.trees["id"], "name": "v9"}, {"Authorization": value})
            assert answer.status_code == 401, value
            assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
            assert answer.cache_control.private
            assert set(answer.json) == {"success", "error", "help"}
            assert answer.json["error"] == {
                "__type": "Authorization Error",
                "message": "Access denied: this token is not valid here",
            }
        for version in ("", "/1", "/2", "/3"):
            address = f"/api{version}/action/package_show?id={city.trees['id']}"
            answer = app.get(address, headers={"Authorization": value}, follow_redirects=False)
            assert answer.status_code in {401, 404}, version


def test_with_csrf_on_it_needs_nothing_more(city, api, app, mint, monkeypatch, read):
    from ckan.config.middleware import flask_app

    monkeypatch.setitem(app.flask_app.config, "WTF_CSRF_ENABLED", True)
    # CKAN exempts the whole API for good with the first request that needs it.
    monkeypatch.setattr(flask_app.csrf, "_exempt_views", set())
    made = city.dataset(city.parks)
    patch = ("package_patch", {"id": made["id"], "title": "New"})
    api.log_in(city.boss)
    assert api(*patch).status_code == 400
    assert api(*patch, {"Authorization": "Bearer nix"}).status_code == 401
    assert api(*patch).status_code == 400
    assert api(*patch, mint(city.edda, read)).status_code == 403
    assert api(*patch, mint(city.edda, f"ds:{made['id']}:update")).status_code == 200


def test_ckans_own_credentials_work_as_ever(city, api, mint, read):
    token = factories.APIToken(user=city.boss["name"])["token"]
    assert _show(api, city.vault, {"Authorization": token}) == 200
    assert (
        api("user_show", {"id": city.boss["id"]}, {"Authorization": token}).json["result"]["name"] == city.boss["name"]
    )
    # It is no bearer of ours.
    assert _show(api, city.trees, {"Authorization": f"Bearer {token}"}) == 401
    assert _show(api, city.vault, {"Authorization": token[:-2]}) == 403
    assert _show(api, city.vault) == 403
    api.log_in(city.boss)
    assert _show(api, city.vault) == 200
    assert not api("package_show", {"id": city.trees["id"]}, get=True).cache_control.private


def test_only_the_header_counts(city, api, app, mint, read):
    good = mint(city.edda, f"ds:{ref(city.parks, city.hidden)}:read")
    token = good["Authorization"].split()[1]
    address = f"/api/3/action/package_show?id={city.hidden['id']}"
    assert app.get(address, headers=good).status_code == 200
    assert app.get(f"{address}&jwt={token}").status_code == 403
    assert app.get(address, headers={"X-CKAN-API-Key": f"Bearer {token}"}).status_code == 403
    assert app.get(address, headers={"Authorization": token}).status_code == 403
    assert app.get(address, headers={"Authorization": f"Basic {token}"}).status_code == 403
    assert api("package_show", {"id": city.hidden["id"], "jwt": token, "token": token}).status_code == 403


def test_jsonp_is_refused(city, app, mint, read):
    address = f"/api/3/action/package_show?id={city.trees['id']}"
    for callback in ("callback=steal", "callback="):
        answer = app.get(f"{address}&{callback}", headers=mint(city.edda, read))
        assert answer.status_code == 401
        assert "steal" not in answer.text
    assert app.get(f"{address}&callback=steal").status_code == 200


class First(p.SingletonPlugin):
    """Stands before ours, and looks who comes."""

    p.implements(p.IActions)
    seen: tuple = ()

    def get_actions(self):
        @tk.chained_action
        @tk.side_effect_free
        def package_show(next_action, context, data_dict):
            First.seen = (context["user"], tk.g.user, tk.current_user.name)
            return next_action(context, data_dict)

        return {"package_show": package_show}


@pytest.fixture
def first(tokens, provide_plugin, ckan_config, monkeypatch):
    provide_plugin("First", First)
    monkeypatch.setitem(ckan_config, "ckan.plugins", ["First", "metastore", "metastore_authz"])
    yield
    p.unload("First")


def test_who_stands_before_us_sees_nobody(first, city, api, mint, read):
    api.log_in(city.boss)
    assert _show(api, city.trees) == 200
    assert First.seen == (city.boss["name"],) * 3
    assert _show(api, city.trees, mint(city.edda, read)) == 200
    assert First.seen == ("", "", "")


OTHERS: dict[str, dict[str, Any]] = {
    "package_search": {"fq": "+capacity:private", "include_private": True},
    "package_list": {},
    "organization_show": {},
    "user_show": {},
    "status_show": {},
    "follow_dataset": {},
    "organization_patch": {"title": "Taken"},
    "organization_list_for_user": {"permission": "update_dataset"},
    "api_token_list": {},
    "package_collaborator_list": {},
    "authz_authorize": {},
    "authz_verify": {"token": "nix"},
}
"""Actions that take a token for no credential at all."""


def test_for_all_other_actions_it_is_none(city, api, mint):
    scopes = [
        f"{kind}:{place}:read,update"
        for kind in ("ds", "org")
        for place in (city.parks["name"], f"{city.parks['name']}/*")
    ]
    for user in (city.edda, city.boss):
        bring = mint(user, *scopes)
        for action, more in OTHERS.items():
            ids = {"id": user["name"] if action == "user_show" else city.parks["id"], "user_id": user["id"]}
            call = {**ids, "scopes": f"ds:{ref(city.parks, city.hidden)}:read", **more}
            for headers in (bring, {"Authorization": "Bearer nix"}):
                ours, nobodys = api(action, call, headers), api(action, call)
                assert ours.status_code == nobodys.status_code, action
                assert _told(ours.json) == _told(nobodys.json), action
    for bring in (mint(city.boss, *scopes), mint(city.boss, f"ds:{ref(city.parks, city.hidden)}:read")):
        assert api.get(f"/dataset/{city.hidden['name']}", bring).status_code == 404


def _told(answer):
    """What an answer says, but for what differs from one to the next."""
    result = answer.get("result")
    if isinstance(result, dict):
        result = {key: value for key, value in result.items() if key not in {"token", "expires_at"}}
    return answer["success"], result, answer.get("error")


def test_beside_it_a_session_counts_for_all_other_actions(city, api, mint, read):
    api.log_in(city.edda)
    for headers in (mint(None, read), mint(city.boss, read), {"Authorization": "Bearer nix"}):
        shown = api("user_show", {"id": city.edda["id"]}, headers).json["result"]
        assert shown["email"] == city.edda["email"]
        scope = f"ds:{ref(city.parks, city.hidden)}:read"
        answer = api("authz_authorize", {"scopes": scope}, headers).json["result"]
        assert (answer["user_id"], answer["granted_scopes"]) == (city.edda["name"], [scope])


def test_where_no_token_is_issued_none_is_taken(city, api, mint, monkeypatch, read):
    from ckanext.metastore.logic import bearer

    monkeypatch.setattr(bearer.p, "plugin_loaded", lambda name: name == "metastore")
    assert _show(api, city.trees, {"Authorization": "Bearer nix"}) == 200
    assert _show(api, city.hidden, mint(city.edda, f"ds:{city.hidden['id']}:read")) == 403


def test_nothing_of_a_token_stays(city, api, app, mint):
    """Also where all requests share one application context, as in a test or a shell."""
    with app.flask_app.app_context():
        assert _show(api, city.hidden, mint(city.edda, f"ds:{city.hidden['id']}:read")) == 200
        assert _show(api, city.trees) == 200
        assert _show(api, city.hidden) == 403
        assert model.Session.query(model.ApiToken).filter_by(id="").count() == 0
