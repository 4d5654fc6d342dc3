"""What fails is tried again, later each time; a GitHub that is down for all is asked by few; and answers say so."""

from __future__ import annotations

import time

import pytest
from ckan import model
from ckan.tests import factories
from sqlalchemy import select, update

from ckanext.metastore import turns
from ckanext.metastore.cli import metastore
from ckanext.metastore.model import due, waiting
from ckanext.metastore.model.tables import host_table, revision_table
from ckanext.metastore.testing.github import Fault

from .conftest import head


def _down(github):
    return github.fail(Fault(kind="git", status=503, times=None))


@pytest.fixture
def datasets(act, organization, queue):
    """Four public datasets with a repository each."""
    names = [factories.Dataset.stub().name for _ in range(4)]
    return [act("package_create", name=name, owner_org=organization["id"]) for name in names]


def _pause():
    model.Session.rollback()
    row = model.Session.execute(select(host_table)).one_or_none()
    return row.paused_until if row else None


# -- the job queue --------------------------------------------------------------------------------------------------


def test_the_gaps_grow_up_to_an_hour(act, dataset, github, background, attempt, time_passes):
    _down(github)
    saved = act("package_patch", id=dataset["id"], notes="Two")
    gaps = []
    for number in range(1, 11):
        turns.turn()
        failed = attempt(dataset["id"])
        assert failed.attempts == number
        assert _pause() <= failed.failed_at  # one dataset alone says nothing of the host
        gaps.append(failed.retry_at - failed.failed_at)
        turns.turn()
        assert attempt(dataset["id"]) == failed  # its time has not come
        time_passes()
    assert all(0.75 * 30 * 2**number <= gap <= 30 * 2**number + 2 for number, gap in enumerate(gaps[:7]))
    assert gaps == sorted(gaps[:7]) + gaps[7:]
    assert all(2700 <= gap <= 3602 for gap in gaps[7:])
    github.clear_faults()
    turns.turn()
    assert head(github, f"city/{dataset['name']}") == saved["revision_id"]
    well = attempt(dataset["id"])
    assert (well.error, well.failed_at, well.attempts, well.retry_at) == (None, None, 0, None)


@pytest.mark.parametrize("seconds", [7200, 10**30])
def test_who_asks_us_to_wait_is_heeded(act, datasets, github, background, attempt, asked, ckan_config, seconds):
    one, other, *_ = datasets
    github.fail(Fault.secondary_limit(retry_after=seconds, times=None, kind="rest"))
    act("package_patch", id=one["id"], title="Needs the API")
    asked_at = time.time()
    turns.turn()
    assert attempt(one["id"]).retry_at >= asked_at + min(seconds, 86400)
    act("package_patch", id=other["id"], notes="Needs none")
    assert asked(turns.turn) == (0, 0, 0)
    assert _pause() >= asked_at + min(seconds, 86400)
    registry = background.scheduled_job_registry
    planned = [registry.get_scheduled_time(job_id).timestamp() for job_id in registry.get_job_ids()]
    assert planned
    assert min(planned) >= asked_at + min(seconds, 86400)
    github.clear_faults()
    # Who is asked by a person does try.
    assert act("dataset_publish", id=one["id"])["error"] is None
    assert _pause() is None
    turns.turn()
    assert waiting.datasets() == []


def test_an_attempt_out_of_turn_does_not_count(act, dataset, github, background, attempt):
    _down(github)
    act("package_patch", id=dataset["id"], notes="Two")
    turns.turn()
    first = attempt(dataset["id"])
    told = act("dataset_publish", id=dataset["id"])["error"]
    assert told["message"]
    assert told["next_attempt"] == time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(first.retry_at))
    assert (attempt(dataset["id"]).attempts, attempt(dataset["id"]).retry_at) == (1, first.retry_at)


def test_what_is_to_be_hidden_waits_for_no_worker(act, dataset, github, background):
    saved = act("package_patch", id=dataset["id"], private=True)
    assert saved.keys().isdisjoint({"revision_published", "revision_error"})
    assert github.repository(f"city/{dataset['name']}").private
    assert waiting.datasets() == []


def test_what_could_not_be_hidden_comes_first(act, datasets, background, ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, "ckanext.metastore.publish_timeout", 0.2)
    act("package_patch", id=datasets[0]["id"], notes="Two")
    with waiting.take(datasets[1]["id"], patience=1):
        assert act("package_patch", id=datasets[1]["id"], private=True)["revision_published"] is False
    assert due.now(1) == [datasets[1]["id"]]


def test_where_another_publisher_is_at_work(act, dataset, background, attempt):
    act("package_patch", id=dataset["id"], notes="Two")
    with waiting.take(dataset["id"], patience=1):
        turns.turn()
    busy = attempt(dataset["id"])
    assert (busy.error, busy.attempts) == (None, 0)
    assert busy.retry_at > time.time()
    assert waiting.datasets() == [dataset["id"]]


def test_one_dataset_that_is_broken_stops_no_other(act, datasets, github, background, attempt):
    broken, *others = datasets
    for dataset in datasets:
        act("package_patch", id=dataset["id"], notes="Two")
    mine = (revision_table.c.dataset_id == broken["id"]) & ~revision_table.c.published
    model.Session.execute(update(revision_table).where(mine).values(objects=None))
    model.Session.commit()
    turns.turn()
    assert waiting.datasets() == [broken["id"]]
    assert attempt(broken["id"]).attempts == 1
    assert "unexpected" in attempt(broken["id"]).error
    assert [attempt(dataset["id"]).error for dataset in others] == [None] * 3


# -- a GitHub that is down for all ----------------------------------------------------------------------------------


def test_a_save_does_not_wait_for_a_github_that_is_down_for_all(act, datasets, github, asked, cli, time_passes):
    *three, fourth = datasets
    down = _down(github)
    for dataset in three:
        assert "503" in act("package_patch", id=dataset["id"], notes="Two")["revision_error"]
    assert down.hits
    assert asked(lambda: act("package_patch", id=three[0]["id"], notes="Three")) == (0, 0, 0)
    assert github.requests == []
    saved = act("package_patch", id=fourth["id"], notes="Two")
    assert github.requests == []
    assert saved["revision_published"] is False
    assert "nothing is sent before" in saved["revision_error"]
    assert act("dataset_revision_list", id=fourth["id"])[0]["published"] is False
    before = len(down.hits)
    assert cli.invoke(metastore, ["publish", "--all"]).exit_code == 1
    assert len(down.hits) == before + 1
    time_passes()
    github.clear_faults()
    assert "revision_published" not in act("package_patch", id=fourth["id"], notes="Three")
    assert _pause() is None
    assert cli.invoke(metastore, ["publish", "--all"]).exit_code == 0
    assert waiting.datasets() == []


def test_what_github_answers_to_one_dataset_is_no_outage(act, datasets, github):
    for dataset in datasets:
        github.protect(f"city/{dataset['name']}", "main")
    _down(github)
    for dataset in datasets[:2]:
        act("package_patch", id=dataset["id"], notes="Two")
    github.clear_faults()
    github.unprotect(f"city/{datasets[2]['name']}", "main")
    assert "revision_published" not in act("package_patch", id=datasets[2]["id"], notes="Two")
    for dataset in (datasets[3], datasets[0]):
        assert "nothing is sent" not in act("package_patch", id=dataset["id"], notes="Three")["revision_error"]


# -- what an answer says --------------------------------------------------------------------------------------------


def test_the_answer_says_that_the_revision_is_not_published(act, dataset, github, queue):
    url = "https://example.org/more.csv"
    resource = act("resource_create", package_id=dataset["id"], url=url)
    assert not resource.keys() & {"revision_published", "revision_error"}
    _down(github)
    answers = [
        act("package_patch", id=dataset["id"], notes="Two"),
        act("package_revise", match={"id": dataset["id"]}, update={"notes": "Three"})["package"],
        act("resource_create", package_id=dataset["id"], url=url),
        act("resource_patch", id=resource["id"], description="Four"),
        act("package_create", name=factories.Dataset.stub().name, owner_org=dataset["owner_org"]),
    ]
    for answer in answers:
        assert answer["revision_published"] is False
        assert answer["revision_error"]
    github.clear_faults()
    _given_back_they_are_not_stored(act, answers[0])


def _given_back_they_are_not_stored(act, answer):
    answer["resources"][0] |= {"revision_published": False, "revision_error": "no"}
    saved = (
        act("package_update", **answer, private=False) if "private" not in answer else act("package_update", **answer)
    )
    assert "revision_published" not in saved
    shown = act("package_show", id=answer["id"])
    assert "revision_error" not in str(shown)
    assert "revision_error" not in str(act("revision_diff", id=answer["id"], revision_ref_a=answer["revision_id"]))
