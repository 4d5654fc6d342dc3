"""Every writer that goes through CKAN's ORM is recorded, also those that pass by ``package_update``."""

from __future__ import annotations

import json

import pytest
from ckan import model
from ckan.tests import factories, helpers

from ckanext.metastore.history import History
from ckanext.metastore.model.tables import dataset_table


def _document(dataset_id):
    history = History(dataset_id, private=True)
    return history.document(history.head())


def _groups(dataset_id):
    return [group["name"] for group in _document(dataset_id)["ckan"].get("groups", [])]


@pytest.fixture
def group(editor):
    return factories.Group(users=[{"name": editor["name"], "capacity": "admin"}])


def test_member_create_and_delete(dataset, act, group, rows):
    act("member_create", id=group["id"], object=dataset["id"], object_type="package", capacity="public")
    assert _groups(dataset["id"]) == [group["name"]]
    act("member_delete", id=group["id"], object=dataset["id"], object_type="package")
    assert _groups(dataset["id"]) == []
    assert [row.user_id for row in rows(dataset["id"])] == [dataset["creator_user_id"]] * 3


def test_group_delete_takes_the_dataset_out(dataset, act, group):
    act("package_patch", id=dataset["id"], groups=[{"id": group["id"]}])
    assert _groups(dataset["id"]) == [group["name"]]
    act("group_delete", id=group["id"])
    assert _groups(dataset["id"]) == []


def test_owner_org_update(dataset, rows):
    other = factories.Organization()
    helpers.call_action("package_owner_org_update", id=dataset["id"], organization_id=other["id"])
    assert _document(dataset["id"])["ckan"]["owner_org"] == other["id"]
    assert len(rows(dataset["id"])) == 2


@pytest.mark.parametrize("make_private", [True, False])
def test_bulk_updates(act, organization, make_private):
    datasets = [factories.Dataset(owner_org=organization["id"], private=not make_private) for _ in range(2)]
    action = "bulk_update_private" if make_private else "bulk_update_public"
    message = "Under review"
    helpers.call_action(
        action, datasets=[item["id"] for item in datasets], org_id=organization["id"], revision_message=message
    )
    for item in datasets:
        assert _document(item["id"])["ckan"]["private"] is make_private
        assert History(item["id"], private=True).head().message == message


def test_bulk_delete(act, organization, rows):
    item = factories.Dataset(owner_org=organization["id"])
    helpers.call_action("bulk_update_delete", datasets=[item["id"]], org_id=organization["id"])
    assert _document(item["id"])["ckan"]["state"] == "deleted"


def test_resources(dataset, act):
    made = act(
        "resource_create", package_id=dataset["id"], url="https://example.org/b.csv", name="B", revision_message="B"
    )
    assert made["revision_id"] == act("package_show", id=dataset["id"])["revision_id"]
    patched = act("resource_patch", id=made["id"], description="The second")
    assert patched["description"] == "The second"
    updated = act("resource_update", id=made["id"], url="https://example.org/c.csv", name="C")
    assert "revision_message" not in updated
    act("package_resource_reorder", id=dataset["id"], order=[made["id"]])
    assert [resource["title"] for resource in _document(dataset["id"])["resources"]] == ["C", "Street trees 2024"]
    act("resource_delete", id=made["id"], revision_message="Drop C")
    messages = [row.message for row in History(dataset["id"], private=True).page(limit=10, offset=0)]
    assert messages == ["Drop C", *["Update dataset"] * 3, "B", "First survey"]


def test_revise(dataset, act):
    revised = act("package_revise", match__id=dataset["id"], update__title="Revised", revision_message="By revise")
    assert revised["package"]["revision_id"] == act("package_show", id=dataset["id"])["revision_id"]
    assert History(dataset["id"], private=True).head().message == "By revise"


def test_delete_keeps_the_history(dataset, act, git):
    act("package_delete", id=dataset["id"], revision_message="Superseded")
    assert _document(dataset["id"])["ckan"]["state"] == "deleted"
    assert len(act("dataset_revision_list", id=dataset["id"])) == 2
    git(dataset["id"]).fsck()


@pytest.mark.parametrize("fields", [{"state": "draft"}, {"type": "showcase"}])
def test_a_purge_of_what_has_no_history_leaves_nothing(act, fields):
    made = model.Package(name=factories.Dataset.stub().name, **{"type": "dataset", **fields})
    model.Session.add(made)
    model.Session.commit()
    made_id = made.id
    if "type" not in fields:
        helpers.call_action("package_patch", id=made_id, title="Draft")
    helpers.call_action("dataset_purge", id=made_id)
    ours = model.Session.execute(dataset_table.select().where(dataset_table.c.id == made_id))
    assert ours.all() == []


def test_purge_destroys_it(dataset, git, rows):
    helpers.call_action("dataset_purge", id=dataset["id"])
    assert rows(dataset["id"]) == []
    assert not git(dataset["id"]).public.exists()


def test_a_purged_id_can_be_used_again(dataset, git, act, organization):
    helpers.call_action("dataset_purge", id=dataset["id"])
    sysadmin = factories.Sysadmin()
    again = act(
        "package_create", user=sysadmin["name"], id=dataset["id"], name=dataset["name"], owner_org=organization["id"]
    )
    assert git(again["id"])("log", "--format=%H") == again["revision_id"]


def test_raw_model_writes(dataset, rows):
    package = model.Package.get(dataset["id"])
    package.title = "Set by a script"
    model.Session.commit()
    assert _document(dataset["id"])["title"] == "Set by a script"
    resource = package.resources[0]
    resource.description = "By a script too"
    model.Session.commit()
    assert _document(dataset["id"])["resources"][0]["description"] == "By a script too"
    assert [row.author_name for row in rows(dataset["id"])][1:] == ["CKAN", "CKAN"]


def test_a_local_session_is_recorded_too(dataset):
    with model.meta.create_local_session() as session:
        package = session.get(model.Package, dataset["id"])
        package.notes = "From another session"
        session.commit()
    assert _document(dataset["id"])["description"] == "From another session"


def test_a_draft_is_recorded_from_the_moment_it_is_active(act, organization, rows):
    draft = act("package_create", name=factories.Dataset.stub().name, owner_org=organization["id"], state="draft")
    assert rows(draft["id"]) == []
    act("package_patch", id=draft["id"], state="active")
    assert [row.public for row in rows(draft["id"])] == [True]


def test_what_was_said_of_a_draft_is_the_first_revision_s_message(act, organization, rows):
    new = {"name": factories.Dataset.stub().name, "owner_org": organization["id"], "state": "draft"}
    draft = act("package_create", **new, revision_message="Because of the survey")
    act("resource_create", package_id=draft["id"], name="Trees")
    act("package_patch", id=draft["id"], state="active")
    act("package_patch", id=draft["id"], title="Trees")
    said = [row.message.split("\n")[0] for row in rows(draft["id"])]
    assert said == ["Because of the survey", "Update dataset"]


def test_what_is_said_last_counts(act, organization, rows):
    new = {"name": factories.Dataset.stub().name, "owner_org": organization["id"], "state": "draft"}
    draft = act("package_create", **new, revision_message="Perhaps")
    act("package_patch", id=draft["id"], title="Trees", revision_message="Surely")
    act("package_patch", id=draft["id"], state="active", revision_message="At last")
    assert [row.message.split("\n")[0] for row in rows(draft["id"])] == ["At last"]


def test_what_forms_say_to_us_is_no_field(dataset, act):
    made = act("resource_create", package_id=dataset["id"], name="Trees", metastore_file="trees.csv")
    assert "metastore_file" not in act("resource_show", id=made["id"])


def test_a_draft_that_was_thrown_away_leaves_nothing(act, organization, rows):
    draft = act("package_create", name=factories.Dataset.stub().name, owner_org=organization["id"], state="draft")
    act("package_delete", id=draft["id"])
    assert rows(draft["id"]) == []


def test_the_search_index_holds_no_revision(dataset, act):
    found = helpers.call_action("package_search", fq=f"id:{dataset['id']}")["results"][0]
    assert "revision_id" not in found
    from ckan.lib import search

    search.rebuild(dataset["id"])
    index = search.show(dataset["id"])
    assert "revision_id" not in json.loads(index["validated_data_dict"])


def test_what_show_gives_can_be_saved_again(dataset, act, rows):
    shown = act("package_show", id=dataset["id"])
    act("package_update", **shown)
    assert len(rows(dataset["id"])) == 1
    assert "revision_id" not in json.dumps(_document(dataset["id"]))
