"""Going back: the dataset is as it was, and what cannot come back is said."""

from __future__ import annotations

import io
from pathlib import Path

import ckantoolkit as tk
import pytest
from ckan import model
from ckan.lib.uploader import get_resource_uploader
from ckan.tests import factories, helpers
from werkzeug.datastructures import FileStorage

from ckanext.metastore import mapper

EXCLUDED = ("id", "name", "owner_org", "private", "state", "warnings")


def _recorded(dataset):
    return {key: value for key, value in mapper.recorded(dataset).items() if key not in EXCLUDED}


@pytest.fixture
def group(editor):
    return factories.Group(users=[{"name": editor["name"], "capacity": "admin"}])


@pytest.fixture
def changed(dataset, act):
    """The dataset after everything about it has changed."""
    return act(
        "package_update",
        id=dataset["id"],
        name=dataset["name"],
        owner_org=dataset["owner_org"],
        title="Park trees",
        notes="",
        version="2",
        resources=[{"name": "Parks", "url": "https://example.org/parks.csv"}],
        extras=[{"key": "district", "value": "Harbour"}, {"key": "season", "value": "spring"}],
        tags=[{"name": "parks"}],
    )


def test_the_dataset_is_as_it_was(dataset, changed, act):
    reverted = act(
        "dataset_revert", id=dataset["id"], to_revision_ref=dataset["revision_id"], revision_message="Wrong file"
    )
    assert _recorded(reverted) == _recorded(dataset)
    assert reverted["revision_id"] not in (dataset["revision_id"], changed["revision_id"])
    newest, *_ = act("dataset_revision_list", id=dataset["id"])
    assert (newest["id"], newest["message"]) == (reverted["revision_id"], "Wrong file")
    before = act("package_show", id=dataset["id"], revision_ref=dataset["revision_id"])
    assert _recorded(act("package_show", id=dataset["id"], revision_ref="HEAD")) == _recorded(before)


def test_a_removed_resource_comes_back_under_its_id(dataset, changed, act):
    reverted = act("dataset_revert", id=dataset["id"], to_revision_ref=dataset["revision_id"])
    assert [item["id"] for item in reverted["resources"]] == [dataset["resources"][0]["id"]]
    assert reverted["warnings"] == ["The resource Street trees 2024 comes back without its views"]


def test_a_resource_that_was_purged_meanwhile_comes_back_too(dataset, changed, act):
    act("package_patch", id=dataset["id"], resources=[])  # CKAN removes what was deleted before
    act("package_patch", id=dataset["id"], resources=[{"name": "Third", "url": "https://example.org/3.csv"}])
    assert model.Resource.get(dataset["resources"][0]["id"]) is None
    reverted = act("dataset_revert", id=dataset["id"], to_revision_ref=dataset["revision_id"])
    assert _recorded(reverted) == _recorded(dataset)


def test_what_was_null_is_null_again(dataset, act):
    filled = {
        "size": 7,
        "hash": "sha256:0",
        "mimetype": "text/csv",
        "last_modified": "2024-05-03T00:00:00",
        "resource_type": "file",
    }
    resource = {**dataset["resources"][0], **filled, "name": "Named", "cache_url": "https://example.org/c"}
    act("package_patch", id=dataset["id"], resources=[resource])
    reverted = act("dataset_revert", id=dataset["id"], to_revision_ref=dataset["revision_id"])
    assert _recorded(reverted) == _recorded(dataset)
    assert reverted["warnings"] == []
    found = helpers.call_action("package_search", fq=f"id:{dataset['id']}")["results"][0]
    assert found["resources"][0]["size"] is None


def test_what_is_not_restored_stays(dataset, act, organization, editor):
    other = factories.Organization(users=[{"name": editor["name"], "capacity": "editor"}])
    moved = {"name": f"{dataset['name']}-moved", "owner_org": other["id"], "private": True, "title": "Moved"}
    act("package_patch", id=dataset["id"], **moved)
    reverted = act("dataset_revert", id=dataset["id"], to_revision_ref=dataset["revision_id"])
    assert {key: reverted[key] for key in moved} == {**moved, "title": "Street trees"}


@pytest.mark.parametrize("yes", [True, 1, "true"])
def test_a_dry_run_changes_nothing(dataset, changed, act, yes):
    planned = act("dataset_revert", id=dataset["id"], to_revision_ref=dataset["revision_id"], dry_run=yes)
    assert {"kind": "changed", "path": ["title"], "old": "Park trees", "new": "Street trees"} in planned["changes"]
    assert act("package_show", id=dataset["id"])["revision_id"] == changed["revision_id"]


def test_only_some_fields(dataset, changed, act):
    reverted = act("dataset_revert", id=dataset["id"], to_revision_ref=dataset["revision_id"], fields=["notes", "tags"])
    assert (reverted["notes"], [tag["name"] for tag in reverted["tags"]]) == (dataset["notes"], ["trees"])
    assert (reverted["title"], reverted["version"]) == ("Park trees", "2")
    assert [item["name"] for item in reverted["resources"]] == ["Parks"]


def test_only_some_resources(dataset, changed, act):
    wanted = dataset["resources"][0]["id"]
    reverted = act("dataset_revert", id=dataset["id"], to_revision_ref=dataset["revision_id"], resources=[wanted])
    assert {item["name"] for item in reverted["resources"]} == {"Street trees 2024", "Parks"}
    assert reverted["title"] == "Park trees"


@pytest.mark.parametrize(("parameter", "value"), [("fields", ["no_such_field"]), ("resources", ["no-such-id"])])
def test_names_that_neither_has(dataset, changed, act, parameter, value):
    with pytest.raises(tk.ValidationError) as error:
        act("dataset_revert", id=dataset["id"], to_revision_ref=dataset["revision_id"], **{parameter: value})
    assert list(error.value.error_dict) == [parameter]


def test_reverting_to_the_head_makes_no_revision(dataset, act, rows):
    reverted = act("dataset_revert", id=dataset["id"], to_revision_ref="HEAD")
    assert reverted["revision_id"] == dataset["revision_id"]
    assert len(rows(dataset["id"])) == 1


@pytest.mark.parametrize("gone", ["group_purge", "group_delete"])
def test_a_group_that_is_gone_is_named(dataset, act, group, gone):
    with_group = act("package_patch", id=dataset["id"], groups=[{"id": group["id"]}])
    act("package_patch", id=dataset["id"], groups=[], title="Without")
    helpers.call_action(gone, id=group["id"])
    reverted = act("dataset_revert", id=dataset["id"], to_revision_ref=with_group["revision_id"])
    assert reverted["title"] == "Street trees"
    assert reverted["groups"] == []
    assert reverted["warnings"] == [f"The group {group['name']} is gone: the dataset is no longer in it"]


def test_a_group_that_the_editor_may_not_use_is_named(dataset, act, editor):
    closed = factories.Group()
    context = {"user": factories.Sysadmin()["name"], "ignore_auth": False}
    with_group = helpers.call_action("package_patch", context, id=dataset["id"], groups=[{"id": closed["id"]}])
    helpers.call_action("package_patch", {**context}, id=dataset["id"], groups=[], title="Without")
    reverted = act("dataset_revert", id=dataset["id"], to_revision_ref=with_group["revision_id"])
    assert (reverted["title"], reverted["groups"]) == ("Street trees", [])
    warning = f"The group {closed['name']} takes datasets only from its own editors: the dataset is not in it"
    assert reverted["warnings"] == [warning]


@pytest.mark.parametrize("gone", ["organization_purge", "organization_delete"])
def test_an_organization_that_is_gone_is_named(act, editor, organization, gone):
    old = factories.Organization(users=[{"name": editor["name"], "capacity": "editor"}])
    made = factories.Dataset(owner_org=old["id"], title="Then")
    act("package_patch", id=made["id"], owner_org=organization["id"], title="Now")
    helpers.call_action(gone, id=old["id"])
    reverted = act("dataset_revert", id=made["id"], to_revision_ref=made["revision_id"])
    assert (reverted["title"], reverted["owner_org"]) == ("Then", organization["id"])
    name = old["id"] if gone == "organization_purge" else old["name"]
    warning = f"The organization {name}, which owned the dataset then, is gone: the owner stays as it is"
    assert reverted["warnings"] == [warning]


def test_a_vocabulary_that_is_gone_is_named(dataset, act):
    vocabulary = factories.Vocabulary(tags=[{"name": "oak"}])
    tags = [{"name": "oak", "vocabulary_id": vocabulary["id"]}, {"name": "trees"}]
    tagged = act("package_patch", id=dataset["id"], tags=tags)
    act("package_patch", id=dataset["id"], tags=[])
    tag_id = vocabulary["tags"][0]["id"]
    helpers.call_action("tag_delete", id=tag_id, vocabulary_id=vocabulary["id"])
    helpers.call_action("vocabulary_delete", id=vocabulary["id"])
    reverted = act("dataset_revert", id=dataset["id"], to_revision_ref=tagged["revision_id"])
    assert [tag["name"] for tag in reverted["tags"]] == ["trees"]
    assert reverted["warnings"] == [f"The vocabulary {vocabulary['id']} of the tag oak is gone: the tag is left out"]


def test_an_uploaded_file_that_is_gone_is_named(dataset, act):
    upload = FileStorage(io.BytesIO(b"id,species\n1,oak\n"), filename="trees.csv")
    made = act("resource_create", package_id=dataset["id"], name="Uploaded", upload=upload, url="")
    path = Path(get_resource_uploader(made).get_path(made["id"]))
    act("resource_delete", id=made["id"])
    kept = act("dataset_revert", id=dataset["id"], to_revision_ref=made["revision_id"], dry_run=True)
    assert kept["warnings"] == ["The resource Uploaded comes back without its views"]
    path.unlink()
    reverted = act("dataset_revert", id=dataset["id"], to_revision_ref=made["revision_id"])
    assert reverted["resources"][-1]["url"] == made["url"]
    assert "The resource Uploaded: its uploaded file is no longer stored" in reverted["warnings"]


def test_a_license_that_ckan_no_longer_knows_comes_back(dataset, act):
    licensed = act("package_patch", id=dataset["id"], license_id="a-licence-of-the-past")
    act("package_patch", id=dataset["id"], license_id="cc-by")
    reverted = act("dataset_revert", id=dataset["id"], to_revision_ref=licensed["revision_id"])
    assert reverted["license_id"] == "a-licence-of-the-past"


def test_a_deleted_dataset_stays_deleted(dataset, act):
    act("package_delete", id=dataset["id"])
    reverted = act("dataset_revert", id=dataset["id"], to_revision_ref=dataset["revision_id"])
    assert reverted["state"] == "deleted"


def test_somebody_who_may_not_update_may_not_revert(dataset, act, reader):
    with pytest.raises(tk.NotAuthorized):
        act("dataset_revert", user=reader["name"], id=dataset["id"], to_revision_ref="HEAD")


def test_that_a_resource_is_in_the_datastore_is_kept(act, dataset):
    (resource,) = dataset["resources"]
    act("resource_patch", id=resource["id"], datastore_active=True)
    act("resource_patch", id=resource["id"], name="Another", revision_message="Another name")
    reverted = act("dataset_revert", id=dataset["id"], to_revision_ref=dataset["revision_id"])
    assert reverted["warnings"] == []
    (now,) = act("package_show", id=dataset["id"])["resources"]
    assert (now["name"], now["datastore_active"]) == (resource["name"], True)
