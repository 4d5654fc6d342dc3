"""Two editors at once, step by step: who waits for whom is laid down by the database's locks, not by luck."""

from __future__ import annotations

import json

import ckantoolkit as tk
import pytest
from ckan import model
from ckan.lib import search
from ckan.tests import factories, helpers
from sqlalchemy.exc import IntegrityError

from ckanext.metastore import recorder
from ckanext.metastore.history import History
from ckanext.metastore.model import ledger
from ckanext.metastore.tests.ckan.elsewhere import elsewhere


@pytest.fixture
def group(portal):
    return factories.Group()


@pytest.fixture
def organization_of_another(portal):
    return factories.Organization()


@pytest.fixture
def writers(dataset, group, organization_of_another):
    """A writer of each kind, in the forms that differ in what they lock."""
    id_, resource = dataset["id"], dataset["resources"][0]
    member = {"id": group["id"], "object": id_, "object_type": "package", "capacity": "public"}
    return {
        "package_update": {**dataset, "title": "Theirs", "tags": [{"name": "parks"}], "groups": [{"id": group["id"]}]},
        "package_patch": {"id": id_, "title": "Theirs"},
        "package_delete": {"id": dataset["name"]},
        "package_owner_org_update": {"id": id_, "organization_id": organization_of_another["id"]},
        "resource_create": {"package_id": id_, "url": "https://example.org/theirs.csv"},
        "resource_delete": {"id": resource["id"]},
        "member_create": member,
        "group_update": {**group, "packages": [{"id": id_, "name": dataset["name"]}]},
        "dataset_tag_create": {"id": id_, "name": "v1.0"},
        "dataset_revert": {"id": id_, "to_revision_ref": "HEAD"},
        "bulk_update_private": {"datasets": [id_], "org_id": dataset["owner_org"]},
        "organization_delete": {"id": dataset["owner_org"]},
        "dataset_purge": {"id": id_},
    }


def _join(dataset_id, group_id):
    """The dataset joins a group: a change that locks no row of the dataset's own."""
    model.Session.add(model.Member(table_name="package", table_id=dataset_id, group=model.Group.get(group_id)))
    model.Session.flush()


def _chain(rows):
    """A private revision, as a deletion is, follows the one before; a public one follows the last public one."""
    before = public = ""
    for row in rows:
        if row.parents != (public if row.public else before):
            return False
        before, public = row.sha, row.sha if row.public else public
    return True


def _indexed(dataset):
    """What the search index holds, but for groups: CKAN 2.11 indexes the membership that is committed meanwhile."""
    shown = json.loads(search.show(dataset["id"])["data_dict"])
    validated = json.loads(shown.pop("validated_data_dict", "{}"))
    return [{**part, "groups": []} for part in (shown, validated)]


RACERS = ["package_update", "package_delete", "package_owner_org_update", "resource_create", "resource_delete"]


@pytest.mark.parametrize("action", RACERS)
def test_somebody_saves_between_the_early_check_and_the_lock(dataset, group, writers, rows, action):
    index = _indexed(dataset)
    _join(dataset["id"], group["id"])
    recorder.unit(model.Session()).lock(model.Session(), dataset["id"])
    with elsewhere(action, **{**writers[action], "base_revision": dataset["revision_id"]}) as other:
        assert other.wait_until_blocked()
        model.Session.commit()
    assert isinstance(other.error, tk.ValidationError)
    first, second = rows(dataset["id"])
    assert other.error.error_dict["base_revision"][1]["id"] == second.sha != first.sha
    now = helpers.call_action("package_show", {"use_cache": False}, id=dataset["id"])
    assert {**now, "groups": [], "revision_id": first.sha} == {**dataset, "groups": []}
    assert _indexed(dataset) == index


@pytest.mark.parametrize("order", ["package row first", "membership first"])
@pytest.mark.parametrize(
    "action",
    [
        "package_update",
        "package_patch",
        "package_delete",
        "package_owner_org_update",
        "resource_create",
        "member_create",
        "group_update",
        "dataset_tag_create",
        "bulk_update_private",
        "organization_delete",
    ],
)
def test_no_two_writers_deadlock(dataset, writers, rows, git, action, order):
    """We hold what the first statement of a save locks, they run until they wait for us, then we save."""
    ours = factories.Organization()
    if order == "package row first":
        ledger.reload_package(model.Session(), dataset["id"], lock=True)  # as package_patch begins
    else:
        _join(dataset["id"], factories.Group()["id"])  # as member_create begins
    with elsewhere(action, **writers[action]) as other:
        other.wait_until_blocked()
        helpers.call_action("package_patch", id=dataset["id"], notes="Ours", owner_org=ours["id"])
    assert other.error is None
    assert _chain(rows(dataset["id"]))
    history = History(dataset["id"], private=True)
    assert "Ours" in [history.document(row)["description"] for row in rows(dataset["id"])]
    git(dataset["id"]).fsck()


@pytest.mark.parametrize("action", ["package_update", "package_owner_org_update", "package_delete", "resource_delete"])
def test_a_save_locks_the_datasets_row_before_all_else(dataset, writers, action):
    """CKAN flushes rows in an order that differs from run to run: only the first lock can keep two saves apart."""
    ledger.reload_package(model.Session(), dataset["id"], lock=True)
    with elsewhere(action, **writers[action]) as other:
        statement = other.wait_until_blocked()
        assert statement.startswith("SELECT package.id")
        assert statement.endswith("FOR UPDATE")
    assert other.error is None


def test_a_revert_that_comes_second_is_a_conflict(dataset, writers, rows):
    """It was planned on a head that is no longer one."""
    ledger.reload_package(model.Session(), dataset["id"], lock=True)
    with elsewhere("dataset_revert", **writers["dataset_revert"]) as other:
        assert other.wait_until_blocked()
        saved = helpers.call_action("package_patch", id=dataset["id"], notes="Ours")
    assert isinstance(other.error, tk.ValidationError)
    assert other.error.error_dict["base_revision"][1]["id"] == saved["revision_id"] == rows(dataset["id"])[-1].sha


def test_a_purge_waits_for_a_save(dataset, writers, rows, git):
    ledger.reload_package(model.Session(), dataset["id"], lock=True)
    with elsewhere("dataset_purge", **writers["dataset_purge"]) as other:
        other.wait_until_blocked()
        helpers.call_action("package_patch", id=dataset["id"], notes="Ours")
    assert other.error is None
    assert rows(dataset["id"]) == []
    assert not git(dataset["id"]).public.exists()


def test_the_second_of_two_datasets_of_one_name_leaves_nothing(act, organization, rows):
    """CKAN's own unique index refuses it; nothing of it is recorded, and no lock stays."""
    name = factories.Dataset.stub().name
    first = model.Package(name=name, title="First", type="dataset", owner_org=organization["id"])
    model.Session.add(first)
    model.Session.flush()
    with elsewhere("package_create", name=name, title="Second", owner_org=organization["id"]) as other:
        assert other.wait_until_blocked()
        model.Session.commit()
    assert isinstance(other.error, IntegrityError)
    assert [row.message for row in rows(first.id)] == ["Create dataset"]
    assert act("package_patch", id=name, title="Third")["title"] == "Third"
