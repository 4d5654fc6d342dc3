"""Who may do what, and how: by auth functions of the actions' names, by GET or POST, with help for each."""

from __future__ import annotations

from importlib import import_module

import ckantoolkit as tk
import pytest
from ckan import authz, model
from ckan.tests import factories, helpers

from ckanext.metastore.logic.action import actions
from ckanext.metastore.logic.action.saves import BULK_SAVES, DATASET_SAVES, OTHER_SAVES, PART_SAVES
from ckanext.metastore.model.tables import dataset_table, revision_table
from ckanext.metastore.tests.ckan.checks import nothing_waits

READS = {
    "dataset_history_show": {},
    "dataset_revision_list": {},
    "dataset_revision_show": {"revision_ref": "HEAD"},
    "revision_diff": {"revision_ref_a": "HEAD"},
    "dataset_tag_list": {},
    "dataset_tag_show": {"tag": "v1"},
    "package_show": {"revision_ref": "v1"},
}
WRITES = {
    "dataset_tag_create": {"name": "v2"},
    "dataset_tag_update": {"tag": "v1", "description": "First"},
    "dataset_tag_delete": {"tag": "v1"},
    "dataset_revert": {"to_revision_ref": "v1"},
    "dataset_publish": {},
    "dataset_pull": {},
}
ADMINS: dict[str, dict[str, str]] = {"dataset_check": {}, "dataset_publishing_list": {}}
"""What is for sysadmins."""

OURS = sorted({*READS, *WRITES} - {"package_show"})
ABOUT_ALL = "site_revision_list"
"""About no dataset in particular: ``test_feeds.py`` has the tests of it."""

CHAINED = {"get": ["package_show", "resource_show"]}
for verbs in (DATASET_SAVES, PART_SAVES, OTHER_SAVES, BULK_SAVES):
    for verb, names in verbs.items():
        CHAINED.setdefault(verb, []).extend(names)


@pytest.fixture(autouse=True)
def _pulls(portal, ckan_config, monkeypatch):
    """There is an account that pulls."""
    monkeypatch.setitem(ckan_config, "ckanext.metastore.pull_user", factories.Sysadmin()["name"])


@pytest.fixture
def dataset(dataset, act):
    act("dataset_tag_create", id=dataset["id"], name="v1")
    return dataset


@pytest.fixture
def member(organization, reader):
    """An account that belongs to the organization, and may edit nothing of it."""
    helpers.call_action("organization_member_create", id=organization["id"], username=reader["name"], role="member")
    return reader


def _token(user):
    return {"Authorization": factories.APIToken(user=user["name"])["token"]}


def test_the_lists_here_are_complete(portal):
    chained = (name for names in CHAINED.values() for name in names)
    assert sorted(actions()) == sorted([*OURS, ABOUT_ALL, *ADMINS, *chained])


@pytest.mark.parametrize("action", OURS)
def test_an_action_and_its_auth_function_have_one_name(dataset, act, reader, editor, action):
    assert action in authz.auth_functions_list()
    allowed = {"user": reader["name"]} if action in READS else {"user": editor["name"]}
    assert tk.check_access(action, allowed, {"id": dataset["id"]})
    if action in WRITES:
        for user in ("", reader["name"]):
            with pytest.raises(tk.NotAuthorized):
                tk.check_access(action, {"user": user}, {"id": dataset["name"]})


@pytest.mark.parametrize("action", READS)
def test_anybody_reads_a_public_dataset_by_get(dataset, app, action):
    answer = app.get(f"/api/3/action/{action}", query_string={"id": dataset["name"], **READS[action]})
    assert answer.status_code == 200
    assert answer.json["result"] or action == "revision_diff"


def test_a_read_writes_nothing(dataset, app):
    unknown_to_us = model.Package(name=f"{dataset['name']}-old", title="Older than the plugin", type="showcase")
    model.Session.add(unknown_to_us)
    model.Session.commit()
    before = _everything()
    for action, params in READS.items():
        for id_ in (dataset["id"], unknown_to_us.id):
            app.get(f"/api/3/action/{action}", query_string={"id": id_, **params})
    assert _everything() == before
    assert helpers.call_action("dataset_revision_list", id=unknown_to_us.id) == []
    assert helpers.call_action("package_show", id=unknown_to_us.id)["revision_id"] is None


def _everything():
    return [model.Session.execute(table.select()).all() for table in (dataset_table, revision_table)]


@pytest.mark.parametrize("action", WRITES)
def test_no_write_by_get(dataset, app, action):
    sysadmin = factories.Sysadmin()
    query = {"id": dataset["id"], **WRITES[action]}
    assert app.get(f"/api/3/action/{action}", query_string=query, headers=_token(sysadmin)).status_code == 400
    assert [tag["name"] for tag in helpers.call_action("dataset_tag_list", id=dataset["id"])] == ["v1"]


@pytest.mark.parametrize("action", WRITES)
def test_readers_write_nothing(app, dataset, member, action):
    nobody: dict[str, str] = {}
    for headers in (nobody, _token(member), _token(factories.User())):
        answer = app.post(f"/api/3/action/{action}", json={"id": dataset["id"], **WRITES[action]}, headers=headers)
        assert answer.status_code == 403
        assert answer.json["error"]["__type"] == "Authorization Error"
    assert [tag["name"] for tag in helpers.call_action("dataset_tag_list", id=dataset["id"])] == ["v1"]


@pytest.mark.parametrize("action", WRITES)
def test_editors_and_sysadmins_write(app, dataset, editor, action):
    for number, user in enumerate((editor, factories.Sysadmin())):
        params = {"id": dataset["id"], **WRITES[action]}
        if action == "dataset_tag_create":
            params["name"] = f"v{number + 2}"
        if action == "dataset_tag_delete" and number:
            helpers.call_action("dataset_tag_create", id=dataset["id"], name="v1")
        answer = app.post(f"/api/3/action/{action}", json=params, headers=_token(user))
        assert answer.status_code == 200


def test_who_may_not_read_may_not_write_either(act, organization, reader):
    hidden = act("package_create", name=factories.Dataset.stub().name, owner_org=organization["id"], private=True)
    for action, params in {**READS, **WRITES}.items():
        with pytest.raises((tk.NotAuthorized, tk.ObjectNotFound)):
            act(action, user=reader["name"], id=hidden["id"], **params)


@pytest.mark.parametrize("action", OURS)
def test_help_of_ours(portal, action):
    text = helpers.call_action("help_show", name=action)
    assert ":param id:" in text
    assert all(f":param {parameter}:" in text for parameter in {**READS, **WRITES}[action])


@pytest.mark.parametrize(("verb", "action"), [(verb, name) for verb, names in CHAINED.items() for name in names])
def test_help_of_ckans_is_followed_by_ours(portal, verb, action):
    text = helpers.call_action("help_show", name=action)
    core = getattr(import_module(f"ckan.logic.action.{verb}"), action).__doc__
    first, *_, last = [line.strip() for line in core.strip().splitlines() if line.strip()]
    assert text.startswith(first)
    ours = ":param revision_ref:" if verb == "get" else ":param revision_message:"
    assert text.index(last) < text.index("With ckanext-metastore") < text.index(ours)
    with_base = {name for verbs in (DATASET_SAVES, PART_SAVES) for names in verbs.values() for name in names}
    assert (":param base_revision:" in text) == (action in with_base)
    assert "\n    With ckanext-metastore" not in text


def test_help_over_http(app):
    answer = app.get("/api/3/action/help_show?name=dataset_revision_list")
    assert answer.json["result"].startswith("List the revisions of a dataset.")


@pytest.mark.parametrize("action", ADMINS)
def test_what_is_for_sysadmins(action, dataset, editor):
    params = {"id": dataset["id"]} if action == "dataset_check" else {}
    nothing_waits()
    for name in (editor["name"], ""):
        with pytest.raises(tk.NotAuthorized):
            helpers.call_action(action, {"user": name, "ignore_auth": False}, **params)
    assert helpers.call_action(action, {"user": factories.Sysadmin()["name"], "ignore_auth": False}, **params) == []
