"""Many editors at once, in processes of their own: every save that was accepted is in the history, one by one."""

from __future__ import annotations

import itertools

import pytest
from ckan import model
from ckan.tests import factories, helpers

from ckanext.metastore import mapper
from ckanext.metastore.history import History
from ckanext.metastore.model import waiting
from ckanext.metastore.tests.ckan.crew import Call, hired

FIELDS = ("title", "notes", "version", "author", "author_email", "maintainer", "maintainer_email", "url")
SAVES_EACH = 25


@pytest.fixture(scope="module")
def crew(tables):
    with hired() as crew:
        yield crew


@pytest.fixture
def documents(rows):
    """The dataset at each of its revisions, oldest first."""

    def read(dataset_id):
        model.Session.rollback()
        history = History(dataset_id, private=True)
        return [mapper.to_dataset(history.document(row)) for row in rows(dataset_id)]

    return read


def _errors(shifts):
    return [done.error for shift in shifts for done in shift if done.error]


def _is_one_chain(revisions):
    return [row.parents for row in revisions] == ["", *(row.sha for row in revisions[:-1])]


def _changed(before, after):
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def test_two_hundred_saves_of_one_dataset_by_eight_workers(dataset, crew, repositories, rows, documents, git):
    """Each worker counts up a field of its own, so that a save that is lost, or that undoes another, shows."""
    wanted = [[_value(field, number) for number in range(SAVES_EACH)] for field in FIELDS]
    shifts = [
        [Call("package_patch", {"id": dataset["id"], field: value}) for value in values]
        for field, values in zip(FIELDS, wanted, strict=True)
    ]
    done = crew.work(repositories, shifts)
    assert _errors(done) == []
    revisions = rows(dataset["id"])
    assert len(revisions) == 1 + len(FIELDS) * SAVES_EACH
    assert _is_one_chain(revisions)
    states = documents(dataset["id"])
    steps = [_changed(before, after) for before, after in itertools.pairwise(states)]
    assert all(len(step) == 1 for step in steps)
    for field, values in zip(FIELDS, wanted, strict=True):
        assert [state[field] for step, state in zip(steps, states[1:], strict=True) if step == {field}] == values
    assert states[-1] == mapper.recorded(helpers.call_action("package_show", {"use_cache": False}, id=dataset["id"]))
    _assert_in_order_of_time(revisions, done)
    _assert_published(dataset["id"], revisions, git)


def _value(field, number):
    return {"url": f"https://example.org/{number}", "author_email": f"{number}@example.org"}.get(
        field, f"{number}@example.org" if field.endswith("email") else f"{field} {number}"
    )


def _assert_in_order_of_time(revisions, done):
    """What had ended before something else began comes before it."""
    place = {row.sha: row.seq for row in revisions}
    saves = sorted((save for shift in done for save in shift), key=lambda save: save.began)
    ended = sorted(saves, key=lambda save: save.ended)
    newest = 0
    for save in saves:
        while ended and ended[0].ended < save.began:
            newest = max(newest, place[ended.pop(0).result["revision_id"]])
        assert place[save.result["revision_id"]] > newest


def _assert_published(dataset_id, revisions, git):
    assert waiting.datasets() == []
    assert git(dataset_id)("log", "--format=%H", "--reverse").split() == [row.sha for row in revisions]
    git(dataset_id).fsck()


def test_saves_that_change_nothing_or_start_from_an_old_head(dataset, crew, repositories, rows, git):
    """Only what was accepted and changed something is a revision."""
    base = {"id": dataset["id"], "base_revision": dataset["revision_id"]}
    shifts = [
        [
            Call("package_patch", {**base, "title": f"Title {worker}"}),
            Call("package_patch", {"id": dataset["id"], "notes": "N"}),
        ]
        for worker in range(8)
    ]
    done = crew.work(repositories, shifts)
    accepted = [shift[0].result for shift in done if not shift[0].error]
    assert [shift[1].error for shift in done] == [""] * 8
    assert len(accepted) <= 1
    assert [error for error in _errors(done) if "base_revision" not in error] == []
    revisions = rows(dataset["id"])
    assert len(revisions) == 2 + len(accepted)
    assert _is_one_chain(revisions)
    _assert_published(dataset["id"], revisions, git)


def test_different_datasets(crew, repositories, portal, rows, git):
    datasets = [factories.Dataset() for _ in range(8)]
    shifts = [
        [Call("package_patch", {"id": item["id"], "title": f"Title {number}"}) for number in range(4)]
        for item in datasets
    ]
    assert _errors(crew.work(repositories, shifts)) == []
    for item in datasets:
        revisions = rows(item["id"])
        assert len(revisions) == 5
        assert _is_one_chain(revisions)
        _assert_published(item["id"], revisions, git)


def test_writers_of_every_kind(dataset, crew, repositories, rows, documents, git):
    """None deadlocks, and what is recorded last is what CKAN has."""
    groups = [factories.Group() for _ in range(3)]
    organizations = [factories.Organization() for _ in range(2)]
    member = {"object": dataset["id"], "object_type": "package", "capacity": "public"}
    joins = [
        Call(action, {"id": group["id"], **member}) for action in ("member_create", "member_delete") for group in groups
    ]
    moves = [
        Call("package_owner_org_update", {"id": dataset["id"], "organization_id": organization["id"]})
        for organization in organizations * 3
    ]
    tags = [Call("dataset_tag_create", {"id": dataset["id"], "name": f"v{number}"}) for number in range(6)]
    adds = [
        Call("resource_create", {"package_id": dataset["id"], "url": f"https://example.org/{number}"})
        for number in range(6)
    ]
    hides = [Call("package_patch", {"id": dataset["id"], "private": bool(number % 2)}) for number in range(6)]
    patches = [Call("package_patch", {"id": dataset["id"], "notes": f"Notes {number}"}) for number in range(6)]
    done = crew.work(repositories, [joins, moves, tags, adds, hides, patches])
    assert _errors(done) == []
    assert documents(dataset["id"])[-1] == mapper.recorded(
        helpers.call_action("package_show", {"use_cache": False}, id=dataset["id"])
    )
    assert len(documents(dataset["id"])[-1]["resources"]) == 7
    assert len(helpers.call_action("dataset_tag_list", id=dataset["id"])) == 6
    assert waiting.datasets() == []
    _assert_lineages(rows(dataset["id"]))
    git(dataset["id"]).fsck()


def _assert_lineages(revisions):
    """A public revision follows the last public one, a private one the revision before it."""
    last = public = ""
    for row in revisions:
        assert row.parents == (public if row.public else last)
        last = row.sha
        public = row.sha if row.public else public


def test_datasets_of_one_name(crew, repositories, portal, rows):
    name = factories.Dataset.stub().name
    done = crew.work(
        repositories, [[Call("package_create", {"name": name, "title": str(worker)})] for worker in range(8)]
    )
    # Where CKAN finds the name taken between its validation and its save, package_create updates that dataset.
    created = [shift[0].result for shift in done if not shift[0].error]
    (dataset_id,) = {dataset["id"] for dataset in created}
    assert {row.sha for row in rows(dataset_id)} == {dataset["revision_id"] for dataset in created}
    titles = {dataset["revision_id"]: dataset["title"] for dataset in created}
    shown = helpers.call_action("package_show", {"use_cache": False}, id=name)
    assert shown["title"] == titles[shown["revision_id"]]
    assert waiting.datasets() == []
