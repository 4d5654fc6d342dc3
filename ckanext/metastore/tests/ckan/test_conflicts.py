"""A save that did not start from the head is refused, says which revision is newer, and changes nothing anywhere."""

from __future__ import annotations

import json

import ckan.plugins as p
import ckantoolkit as tk
import pytest
from ckan import model
from ckan.lib import search
from ckan.model import meta
from ckan.tests import factories, helpers
from sqlalchemy import text

from ckanext.metastore.history import History

OURS = ("revision_message", "base_revision", "revision_id")

SAVES = {
    "package_update": lambda dataset: {**dataset, "title": "Mine"},
    "package_patch": lambda dataset: {"id": dataset["name"], "title": "Mine"},
    "package_revise": lambda dataset: {"match__id": dataset["id"], "update__title": "Mine"},
    "package_delete": lambda dataset: {"id": dataset["id"]},
    "package_resource_reorder": lambda dataset: {"id": dataset["id"], "order": [dataset["resources"][1]["id"]]},
    "package_owner_org_update": lambda dataset: {
        "id": dataset["id"],
        "organization_id": factories.Organization()["id"],
    },
    "resource_create": lambda dataset: {"package_id": dataset["id"], "url": "https://example.org/mine.csv"},
    "resource_update": lambda dataset: {**dataset["resources"][0], "name": "Mine"},
    "resource_patch": lambda dataset: {"id": dataset["resources"][1]["id"], "name": "Mine"},
    "resource_delete": lambda dataset: {"id": dataset["resources"][0]["id"]},
}
"""Every action that takes ``base_revision``, with a change that it would make."""

MANY = {
    "member_create": {"object_type": "package", "capacity": "public"},
    "bulk_update_private": {},
    "group_update": {},
    "dataset_purge": {},
}
"""Some that save or remove what a single base says nothing about."""


@pytest.fixture
def dataset(dataset, act):
    """With two resources."""
    resources = [*dataset["resources"], {"name": "Parks", "url": "https://example.org/parks.csv"}]
    return act("package_patch", id=dataset["id"], resources=resources)


@pytest.fixture
def newer(dataset):
    """What a colleague saved since."""
    colleague = factories.Sysadmin(fullname="Ravi Mehta")
    return helpers.call_action("package_patch", {"user": colleague["name"]}, id=dataset["id"], notes="A colleague's")


@pytest.fixture
def everywhere(rows):
    """What stands about a dataset in CKAN, in Solr and in the history."""

    def read(dataset_id):
        model.Session.rollback()
        model.Session.expire_all()
        shown = helpers.call_action("package_show", {"use_cache": False}, id=dataset_id)
        found = search.show(dataset_id)
        return shown, found["data_dict"], found["validated_data_dict"], rows(dataset_id)

    return read


@pytest.fixture
def admin(portal):
    return factories.Sysadmin()["name"]


def _assert_free(dataset_id):
    """A refused save holds no lock, also where nobody ends the session: a script goes on."""
    with meta.engine.connect() as connection:
        for table in ("package", "metastore_dataset"):
            connection.execute(text(f"SELECT * FROM {table} WHERE id = :id FOR UPDATE NOWAIT"), {"id": dataset_id})


def _newest(dataset_id):
    revision = helpers.call_action("dataset_revision_show", id=dataset_id, revision_ref="HEAD")
    return {key: revision[key] for key in ("id", "author", "timestamp")}


@pytest.mark.parametrize("action", SAVES)
def test_a_stale_base_is_refused_and_nothing_changes(dataset, newer, act, admin, everywhere, action):
    change = {**SAVES[action](dataset), "revision_message": "Mine", "base_revision": dataset["revision_id"]}
    before = everywhere(dataset["id"])
    with pytest.raises(tk.ValidationError) as error:
        act(action, user=admin, **change)
    (sentence, data) = error.value.error_dict["base_revision"]
    assert data == _newest(dataset["id"])
    assert (data["id"], data["author"]) == (newer["revision_id"], "Ravi Mehta")
    assert all(part in sentence for part in data.values())
    _assert_free(dataset["id"])
    assert everywhere(dataset["id"]) == before


@pytest.mark.parametrize("action", SAVES)
def test_the_head_as_the_base_is_accepted(dataset, act, admin, rows, action):
    change = {**SAVES[action](dataset), "base_revision": dataset["revision_id"]}
    act(action, user=admin, **change)
    (*_, before, after) = rows(dataset["id"])
    assert (before.sha, after.parents) == (dataset["revision_id"], dataset["revision_id"])


def test_a_new_dataset_has_no_base(act, organization, dataset):
    name = factories.Dataset.stub().name
    with pytest.raises(tk.ValidationError) as error:
        act("package_create", name=name, owner_org=organization["id"], base_revision=dataset["revision_id"])
    assert list(error.value.error_dict) == ["base_revision"]
    assert model.Package.get(name) is None


@pytest.mark.parametrize("action", MANY)
def test_where_a_base_says_nothing_it_is_refused(dataset, act, admin, rows, action):
    group = factories.Group()
    change = {"id": group["id"], "object": dataset["id"], "org_id": dataset["owner_org"], "datasets": [dataset["id"]]}
    if action == "dataset_purge":
        change["id"] = dataset["id"]
    with pytest.raises(tk.ValidationError) as error:
        act(action, user=admin, **change, **MANY[action], base_revision=dataset["revision_id"])
    assert list(error.value.error_dict) == ["base_revision"]
    assert rows(dataset["id"])[-1].sha == dataset["revision_id"]


@pytest.mark.parametrize(
    "wrong", ["HEAD", "v1.0", "abcdef1", "G" * 40, "A" * 40, "0" * 41, "\0", "\ud800", 5, ["a"], {"a": 1}]
)
@pytest.mark.parametrize("action", ["package_patch", "resource_patch"])
def test_a_base_that_is_no_revision_id(dataset, act, rows, action, wrong):
    with pytest.raises(tk.ValidationError) as error:
        act(action, **{**SAVES[action](dataset), "base_revision": wrong})
    assert list(error.value.error_dict) == ["base_revision"]
    assert rows(dataset["id"])[-1].sha == dataset["revision_id"]


def test_over_http_it_is_a_409(dataset, newer, app, editor):
    token = factories.APIToken(user=editor["name"])["token"]
    change = {"id": dataset["id"], "title": "Mine", "base_revision": dataset["revision_id"]}
    answer = app.post("/api/3/action/package_patch", json=change, headers={"Authorization": token})
    assert answer.status_code == 409
    assert answer.json["error"]["base_revision"][1] == _newest(dataset["id"])


@pytest.mark.parametrize("action", sorted(SAVES.keys() - {"package_delete", "package_owner_org_update"}))
def test_what_is_ours_is_never_stored(dataset, act, action):
    """Not of the dataset, not of a resource, also where a client sends back what it was shown."""
    change = {**SAVES[action](dataset), "revision_message": "Mine", "base_revision": dataset["revision_id"]}
    change["revision_id"] = dataset["revision_id"]
    for resource in change.get("resources", []):
        resource.update(revision_id="1", base_revision="2", revision_message="3", name="Mine")
    act(action, **change)
    stored = model.Package.get(dataset["id"])
    assert not set(OURS) & {*stored.extras, *(key for resource in stored.resources for key in resource.extras)}
    history = History(dataset["id"], private=True)
    assert history.head().message == "Mine"
    document = json.dumps(history.document(history.head()))
    shown = act("package_show", id=dataset["id"])
    assert not any(key in document or key in json.dumps(shown["resources"]) for key in OURS)
    assert not {"revision_message", "base_revision"} & shown.keys()


class SavesAgain(p.SingletonPlugin):
    """As ckanext-validation does: what was just saved is looked at, and the outcome is stored."""

    p.implements(p.IResourceController, inherit=True)

    def after_resource_create(self, context, resource):
        tk.get_action("resource_patch")({"ignore_auth": True}, {"id": resource["id"], "validation_status": "success"})


class SavesAnother(p.SingletonPlugin):
    """As a series does: a save of its part is noted in the whole."""

    p.implements(p.IPackageController, inherit=True)

    def after_dataset_update(self, context, pkg_dict):
        if pkg_dict.get("version") and pkg_dict["version"] != "noted":
            within = {"ignore_auth": True, "defer_commit": True, "return_id_only": True}
            tk.get_action("package_patch")(within, {"id": pkg_dict["version"], "version": "noted"})


def test_a_hook_that_saves_the_same_dataset_once_more(dataset, act, rows, load):
    load(SavesAgain)
    made = act(
        "resource_create", package_id=dataset["id"], url="https://a.example", base_revision=dataset["revision_id"]
    )
    *_, first, second = rows(dataset["id"])
    assert (first.parents, second.parents) == (dataset["revision_id"], first.sha)
    assert act("resource_show", id=made["id"])["validation_status"] == "success"
    assert made["revision_id"] == second.sha


def test_a_hook_that_saves_another_dataset(dataset, act, rows, load):
    load(SavesAnother)
    whole = factories.Dataset()
    patched = act("package_patch", id=dataset["id"], version=whole["id"], base_revision=dataset["revision_id"])
    assert rows(dataset["id"])[-1].sha == patched["revision_id"] != dataset["revision_id"]
    assert len(rows(whole["id"])) == 2


def test_a_save_that_changes_nothing_still_compares_its_base(dataset, newer, act):
    with pytest.raises(tk.ValidationError) as error:
        act("package_patch", id=dataset["id"], title=dataset["title"], base_revision=dataset["revision_id"])
    assert "base_revision" in error.value.error_dict


@pytest.mark.parametrize("action", ["package_patch", "resource_patch"])
def test_a_save_that_changes_nothing_gives_the_head(dataset, act, action):
    change = SAVES[action](dataset)
    saved = act(action, **change)
    assert act(action, **change)["revision_id"] == saved["revision_id"] != dataset["revision_id"]
