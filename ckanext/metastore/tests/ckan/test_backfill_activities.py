"""``ckan metastore backfill --from-activities``: what CKAN's activities tell of a dataset's past."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timezone
from itertools import dropwhile, groupby
from typing import Any

import ckan.plugins as p
import pytest
from ckan import model
from ckan.lib.plugins import DefaultPermissionLabels
from ckan.tests import factories
from sqlalchemy import text

from ckanext.metastore import config, recording
from ckanext.metastore.core.document import parse_document
from ckanext.metastore.mapper import to_dataset
from ckanext.metastore.tests import corpus
from ckanext.metastore.tests.ckan.past import PUBLIC, activity, before_the_plugin, shown


@pytest.fixture
def old(activity_table, before):
    """A public dataset from before the plugin."""
    (dataset_id,) = before(resources=[{"url": "https://example.org/stops.csv"}])
    return shown(dataset_id)


@pytest.fixture
def backfilled(backfill, rows):
    """Run the command for one dataset; gives what it tells, and the rows of the revisions."""

    def run(dataset_id):
        status, told = backfill("--from-activities", dataset_id)
        assert (status, told["failed"]) == (0, {})
        model.Session.remove()
        return told, rows(dataset_id)

    return run


def _log(repository, *arguments, **options):
    return repository("log", "--reverse", *arguments, **options).splitlines()


def _objects(repository):
    """All that is in the public repository, whether a ref leads there or not."""
    command = ["git", "-c", "safe.directory=*", "cat-file", "--batch-all-objects", "--batch"]
    return subprocess.run(command, cwd=repository.public, check=True, capture_output=True).stdout


# -- what CKAN itself has written -----------------------------------------------------------------------------------


def test_every_activity_becomes_a_commit_of_its_own(act, editor, organization, activity_table, backfilled, git):
    name = factories.Dataset.stub().name
    other = factories.Sysadmin(fullname="Ravi Mehta")
    with before_the_plugin("activity"):
        resource = {"url": "https://example.org/stops.csv", "format": "CSV"}
        dataset_id = act(
            "package_create", name=name, owner_org=organization["id"], resources=[resource], tags=[{"name": "bus"}]
        )["id"]
        act("package_patch", user=other["name"], id=name, notes="Every stop.", extras=[{"key": "a", "value": "b"}])
        act("package_patch", id=name, title="Bus stops")
        query = "SELECT timestamp FROM activity WHERE object_id = :id ORDER BY timestamp"
        times = model.Session.execute(text(query), {"id": dataset_id}).scalars()
        seconds = [int(time.replace(tzinfo=timezone.utc).timestamp()) for time in times]
    told, revisions = backfilled(dataset_id)
    assert (told["revisions"], told["unreadable_activities"], told["activities_too_old"]) == (3, 0, 0)
    assert [row.timestamp for row in revisions] == seconds
    names = ["Edda Ito", "Ravi Mehta", "Edda Ito"]
    messages = ["Create dataset", "Update dataset", "Update dataset"]
    repository = git(dataset_id)
    expected = [f"{n} {t} {m}" for n, t, m in zip(names, seconds, messages, strict=True)]
    assert _log(repository, "--format=%an %at %s") == expected
    assert f"CKAN-User: {other['name']}" in repository("log", "-1", "--skip=1", "--format=%B")
    repository.fsck()
    act("package_update", **act("package_show", id=dataset_id))
    assert act("package_show", id=dataset_id)["revision_id"] == revisions[-1].sha


# -- the rest of the past -------------------------------------------------------------------------------------------


def test_what_no_activity_tells_follows(old, editor, backfilled):
    activity(old["id"], {**old, "title": "Stops"}, "2021-05-01T10:00:00.123", kind="new package", user_id=editor["id"])
    _, (first, second) = backfilled(old["id"])
    assert (first.author_name, first.timestamp) == ("Edda Ito", 1619863200)
    assert (second.author_name, second.message, second.parents) == ("CKAN", "Add what no activity tells", first.sha)
    modified = model.Package.get(old["id"]).metadata_modified.replace(tzinfo=timezone.utc)
    assert second.timestamp == int(modified.timestamp())


def test_a_row_that_tells_nothing_new_makes_no_revision(old, backfilled):
    for day in (1, 2, 3):
        activity(old["id"], {**old, "metadata_modified": f"2021-05-0{day}T10:00:00"}, f"2021-05-0{day}T10:00:00")
    _, (only,) = backfilled(old["id"])
    assert only.timestamp == 1619863200


def test_who_is_not_there_any_more(old, editor, backfilled):
    gone = factories.User(fullname="Somebody Else")
    model.User.get(gone["id"]).purge()
    model.Session.commit()
    for number, user_id in enumerate((gone["id"], None, "not logged in", editor["id"])):
        activity(old["id"], {**old, "title": str(number)}, f"2021-05-0{number + 1}", user_id=user_id)
    _, revisions = backfilled(old["id"])
    assert [row.author_name for row in revisions] == ["CKAN", "CKAN", "CKAN", "Edda Ito", "CKAN"]
    assert [row.user_id for row in revisions] == [None, None, None, editor["id"], None]


def test_names_are_as_the_option_says(old, editor, backfilled, git, ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, "ckanext.metastore.author", "pseudonym")
    activity(old["id"], {**old, "title": "Stops"}, "2021-05-01", user_id=editor["id"])
    _, (first, _) = backfilled(old["id"])
    assert first.author_name.startswith("editor-")
    assert not {editor["name"], "Edda"} & set(git(old["id"])("log", "--format=%B%an%ae").split())


def test_time_never_runs_backwards_nor_ahead(old, backfilled):
    began = int(datetime.now(timezone.utc).timestamp())
    activity(old["id"], {**old, "title": "0"}, "1900-01-01")
    activity(old["id"], {**old, "title": "1"}, "2999-01-01")
    _, (first, second, third) = backfilled(old["id"])
    assert first.timestamp == 0
    assert began <= second.timestamp == third.timestamp <= datetime.now(timezone.utc).timestamp()


def test_a_draft_begins_when_it_becomes_active(old, backfilled):
    activity(old["id"], {**old, "state": "draft", "title": "0"}, "2021-05-01", kind="new package")
    activity(old["id"], {**old, "title": "1"}, "2021-05-02")
    told, (first, second) = backfilled(old["id"])
    assert (first.message, first.timestamp, second.message) == (
        "Create dataset",
        1619913600,
        "Add what no activity tells",
    )
    assert told["unreadable_activities"] == 0


@pytest.mark.parametrize(
    "data",
    [
        None,
        "",
        "{broken",
        "[]",
        "null",
        '{"package": null}',
        '{"actor": "ada"}',
        '{"dataset": {}}',
        pytest.param("[" * 100_000, id="deep"),
        lambda old: {**old, "id": "another"},
        lambda old: {key: value for key, value in old.items() if key != "resources"},
        lambda old: {**old, "resources": ["a"]},
        lambda old: {**old, "resources": [{"url_type": "upload"}]},
        lambda old: json.dumps({"package": {"package": old}}),
        lambda old: json.dumps({"package": {**old, "title": float("nan")}}),
        lambda old: json.dumps(old),
    ],
)
def test_what_cannot_be_understood_is_counted(old, backfilled, data):
    activity(old["id"], {**old, "title": "Stops"}, "2021-05-01")
    activity(old["id"], data(old) if callable(data) else data, "2021-05-02")
    activity(old["id"], {**old, "title": "All stops"}, "2021-05-03")
    told, revisions = backfilled(old["id"])
    assert (told["unreadable_activities"], told["revisions"]) == (1, 3)
    assert len(revisions) == 3


def test_other_activities_are_none_of_ours(old, backfilled):
    activity(old["id"], {**old, "title": "Stops"}, "2021-05-01", kind="new resource view")
    told, revisions = backfilled(old["id"])
    assert (told["unreadable_activities"], len(revisions)) == (0, 1)


def test_a_history_that_has_begun_is_left_alone(dataset, activity_table, backfilled, act):
    now = shown(dataset["id"])
    activity(dataset["id"], {**now, "title": "0"}, "2021-05-01")
    activity(dataset["id"], {**now, "title": "1"}, "2021-05-02")
    activity(dataset["id"], {**now, "title": "2"}, "2999-05-01")
    head = act("package_show", id=dataset["id"])["revision_id"]
    told, (only,) = backfilled(dataset["id"])
    assert (only.sha, told["datasets"], told["activities_too_old"]) == (head, 0, 2)


# -- who could see it -----------------------------------------------------------------------------------------------


def test_private_times_are_not_in_the_public_repository(old, backfilled, git, act):
    times: list[tuple[dict[str, Any], Any, str]] = [
        ({"title": "0"}, PUBLIC, "new package"),
        ({"title": "secret 1", "private": True}, ("member-x",), "changed package"),
        ({"title": "secret 2", "private": True}, PUBLIC, "changed package"),  # as CKAN 2.12 fills it in
        ({"title": "secret 3", "private": True}, None, "changed package"),
        ({"title": "4"}, None, "changed package"),
        ({"title": "secret 5"}, ("member-x",), "changed package"),  # an embargo
        ({"title": "secret 6", "state": "draft"}, PUBLIC, "changed package"),
        ({"title": "secret 7"}, PUBLIC, "deleted package"),
        ({"title": "secret 8", "private": None}, None, "changed package"),
        ({"title": "secret 9", "private": "false"}, PUBLIC, "changed package"),
        ({"title": "10"}, PUBLIC, "changed package"),
    ]
    for number, (fields, labels, kind) in enumerate(times):
        activity(old["id"], {**old, **fields}, f"2021-05-{number + 1:02}", kind=kind, labels=labels)
    _, revisions = backfilled(old["id"])
    assert [row.public for row in revisions] == ["secret" not in fields["title"] for fields, _, _ in times] + [True]
    repository = git(old["id"])
    assert _log(repository, "--format=%H") == [row.sha for row in revisions if row.public]
    objects = _objects(repository)
    assert b"secret" not in objects
    assert not any(row.sha.encode() in objects for row in revisions if not row.public)
    repository.fsck()
    past = act("package_show", id=old["id"], revision_ref=revisions[7].sha)
    assert (past["title"], past["state"]) == ("secret 7", "deleted")


def test_where_a_plugin_decides_no_row_can_tell(old, backfilled, load, git):
    class SomeLabels(p.SingletonPlugin, DefaultPermissionLabels):
        p.implements(p.IPermissionLabels)

    load(SomeLabels)
    activity(old["id"], {**old, "title": "secret"}, "2021-05-01")
    _, revisions = backfilled(old["id"])
    assert [row.public for row in revisions] == [False, True]
    assert b"secret" not in _objects(git(old["id"]))


@pytest.mark.parametrize("action", ["package_patch", "package_delete"])
def test_what_has_been_withdrawn_is_not_given_out(old, backfilled, act, git, action):
    with before_the_plugin():
        act(action, id=old["id"], **({"private": True} if action == "package_patch" else {}))
    activity(old["id"], {**old, "title": "Once public"}, "2021-05-01")
    _, revisions = backfilled(old["id"])
    assert [row.public for row in revisions] == [False, False]
    assert not git(old["id"]).public.exists()
    assert len(_log(git(old["id"]), "--all", "--format=%H", private=True)) == 2


# -- real ones ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", corpus.histories())
def test_real_histories(activity_table, before, backfilled, git, name):
    (dataset_id,) = before()
    versions = [{"resources": [], **version, "id": dataset_id} for version in corpus.histories()[name]]
    for number, version in enumerate(versions):
        activity(dataset_id, version, f"2015-01-01T00:{number // 60:02}:{number % 60:02}")
    told, revisions = backfilled(dataset_id)
    assert told["unreadable_activities"] == 0
    states = [*dropwhile(_is_draft, versions), shown(dataset_id)]
    recorded = [to_dataset(recording.to_document(state)) for state in states]
    load = config.backend().load
    stored = [to_dataset(parse_document(load(dataset_id, sha=row.sha, public=row.public))) for row in revisions]
    assert stored == [state for state, _ in groupby(recorded)]
    git(dataset_id).fsck()


def _is_draft(version):
    return version.get("state", "").startswith("draft")
