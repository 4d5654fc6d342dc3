"""Saves that are published by ``ckan jobs worker``: in order, by one worker a dataset, whatever dies."""

from __future__ import annotations

import socket

import ckantoolkit as tk
import pytest
from ckan.tests import factories, helpers

from ckanext.metastore import jobs, turns
from ckanext.metastore.cli import metastore
from ckanext.metastore.model import waiting
from ckanext.metastore.testing.git import git
from ckanext.metastore.testing.github import Fault
from ckanext.metastore.testing.github.problems import Problem

from .conftest import head, tags_of
from .workers import Gate, working

schedules = pytest.mark.skipif(
    not tk.check_ckan_version(min_version="2.12.0a0"), reason="CKAN 2.11 does not start rq's scheduler"
)


@pytest.fixture
def gate(github, tmp_path):
    """A gate before a dataset's repository. Nobody stands at it any more when the test ends."""
    gates = []

    def build(dataset):
        gates.append(Gate(github, f"city/{dataset['name']}", tmp_path / dataset["name"]))
        return gates[-1]

    yield build
    for built in gates:
        built.open()


@pytest.fixture
def create(act, organization):
    return lambda: act("package_create", name=factories.Dataset.stub().name, owner_org=organization["id"])


def _work(ckan_config):
    with working(ckan_config) as worker:
        return worker.join()


def _revisions(github, dataset):
    head(github, f"city/{dataset['name']}")
    return git("rev-list", "main", "--reverse", cwd=github.repository(f"city/{dataset['name']}").path).split()


def test_a_worker_publishes_what_was_saved_in_order(act, dataset, github, background, ckan_config, asked, attempt):
    wanted = [dataset["revision_id"]]

    def saves():
        for title in ("Two", "Three", "Four"):
            saved = act("package_patch", id=dataset["id"], title=title)
            assert saved["revision_published"] is False
            assert "revision_error" not in saved
            wanted.append(saved["revision_id"])
        act("dataset_tag_create", id=dataset["id"], name="v1")

    assert asked(saves) == (0, 0, 0)
    assert len(background) == 1
    assert act("dataset_revision_show", id=dataset["id"], revision_ref="HEAD")["published"] is False
    assert asked(lambda: _work(ckan_config)) == (1, 1, 0)
    assert _revisions(github, dataset) == wanted
    assert tags_of(github, f"city/{dataset['name']}") == ["v1"]
    assert act("dataset_revision_show", id=dataset["id"], revision_ref="HEAD")["published"] is True
    assert (len(background), attempt(dataset["id"]).retry_at, waiting.datasets()) == (0, None, [])


def test_a_worker_changes_tags_and_purges(act, dataset, create, github, queue, ckan_config, monkeypatch, git):
    gone = create()
    act("dataset_tag_create", id=dataset["id"], name="v1")
    act("dataset_tag_create", id=dataset["id"], name="v3")
    monkeypatch.setitem(ckan_config, "ckanext.metastore.publish", "background")
    act("dataset_tag_update", id=dataset["id"], tag="v1", name="v2")
    act("dataset_tag_delete", id=dataset["id"], tag="v3")
    monkeypatch.setitem(ckan_config, "ckanext.metastore.publish_timeout", 0.2)
    with waiting.take(gone["id"], patience=1):  # a purge waits for no worker, unless it must
        helpers.call_action("dataset_purge", id=gone["id"])
    assert tags_of(github, f"city/{dataset['name']}") == ["v1", "v3"]
    assert github.repository(f"city/{gone['name']}")
    monkeypatch.setitem(ckan_config, "ckanext.metastore.publish_timeout", 10)
    _work(ckan_config)
    assert tags_of(github, f"city/{dataset['name']}") == ["v2"]
    with pytest.raises(Problem):
        github.repository(f"city/{gone['name']}")
    assert not git(gone["id"]).public.exists()
    assert waiting.datasets() == []


def test_a_purge_waits_for_no_worker(dataset, github, background):
    helpers.call_action("dataset_purge", id=dataset["id"])
    with pytest.raises(Problem):
        github.repository(f"city/{dataset['name']}")
    assert waiting.datasets() == []


def test_many_workers(act, dataset, create, github, background, ckan_config, monkeypatch, gate):
    """Two datasets at the same time, one dataset never; and what is saved meanwhile is not forgotten."""
    monkeypatch.setitem(ckan_config, "ckanext.metastore.publish", "inline")
    other = create()
    monkeypatch.setitem(ckan_config, "ckanext.metastore.publish", "background")
    monkeypatch.setitem(ckan_config, "ckanext.metastore.publish_timeout", 600)
    here, there = gate(dataset), gate(other)
    revisions = [dataset["revision_id"], act("package_patch", id=dataset["id"], notes="Two")["revision_id"]]
    with working(ckan_config) as one:
        here.wait_for_push(one)
        act("package_patch", id=other["id"], notes="Two")
        with working(ckan_config) as two:
            there.wait_for_push(two)
            revisions.append(act("package_patch", id=dataset["id"], notes="Three")["revision_id"])
            assert len(background) == 1
            _work(ckan_config)
            assert (here.passed, there.passed) == (["begin"], ["begin"])
            here.open()
            there.open()
            two.join()
        one.join()
    assert _revisions(github, dataset) == revisions
    assert here.passed == ["begin", "end"] * 2
    assert waiting.datasets() == []


def test_a_worker_that_is_killed(act, dataset, github, background, ckan_config, cli, gate):
    """While it pushes, and the push arrives: it is not forgotten, and not made twice."""
    closed = gate(dataset)
    saved = act("package_patch", id=dataset["id"], notes="Two")
    with working(ckan_config) as worker:
        closed.wait_for_push(worker)
        worker.kill()
    assert waiting.datasets() == [dataset["id"]]
    github.set_hook(f"city/{dataset['name']}", None)
    closed.open()
    while closed.passed != ["begin", "end"]:
        pass
    result = cli.invoke(metastore, ["publish", "--all"])
    assert result.exit_code == 0, result.output
    assert _revisions(github, dataset) == [dataset["revision_id"], saved["revision_id"]]
    assert waiting.datasets() == []


@schedules
def test_the_scheduler_finishes(act, dataset, github, background, ckan_config, gate, attempt, time_passes):
    """After a kill, and after a failure: each time a turn is planned for when the dataset is due."""
    closed = gate(dataset)
    act("package_patch", id=dataset["id"], notes="Two")
    with working(ckan_config) as worker:
        closed.wait_for_push(worker)
        worker.kill()
    saved = act("package_patch", id=dataset["id"], notes="Three")
    turns.turn()
    claimed = attempt(dataset["id"])
    assert (claimed.error, _planned(background)) == (None, [claimed.retry_at])
    github.set_hook(f"city/{dataset['name']}", None)
    github.fail(Fault(kind="git", status=503, times=None))
    time_passes()
    background.scheduled_job_registry.remove(background.scheduled_job_registry.get_job_ids()[0])
    turns.turn()
    failed = attempt(dataset["id"])
    assert (failed.attempts, _planned(background)) == (1, [failed.retry_at])
    github.clear_faults()
    time_passes()
    _work(ckan_config)
    assert head(github, f"city/{dataset['name']}") == saved["revision_id"]
    assert (waiting.datasets(), len(background), _planned(background)) == ([], 0, [])


def _planned(queue):
    registry = queue.scheduled_job_registry
    return [int(registry.get_scheduled_time(job_id).timestamp()) for job_id in registry.get_job_ids()]


@pytest.mark.parametrize("how", ["gone", "silent"])
def test_without_redis(act, dataset, github, background, ckan_config, monkeypatch, caplog, cli, how):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if how == "silent":
            server.listen()
        monkeypatch.setattr(jobs, "_HOLD_OFF", 0.0)
        monkeypatch.setitem(ckan_config, "ckan.redis.url", f"redis://127.0.0.1:{server.getsockname()[1]}/0")
        revisions = [dataset["revision_id"]]
        for notes in ("Two", "Three"):
            revisions.append(act("package_patch", id=dataset["id"], notes=notes)["revision_id"])
        assert len([record for record in caplog.records if "Redis" in record.getMessage()]) == 1
        assert act("dataset_revision_list", id=dataset["id"])[0]["published"] is False
        result = cli.invoke(metastore, ["publish", "--all"])
    assert result.exit_code == 0, result.output
    assert _revisions(github, dataset) == revisions


def test_when_redis_is_back_a_turn_takes_up_all(act, dataset, create, github, background, ckan_config, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setitem(ckan_config, "ckan.redis.url", "redis://127.0.0.1:1/0")
        missed = act("package_patch", id=dataset["id"], notes="Two")
        deaf = jobs._bell.deaf
    monkeypatch.setattr(jobs, "_HOLD_OFF", 0.0)
    monkeypatch.setattr(jobs._bell, "_until", 0.0)
    create()
    assert (deaf, jobs._bell.deaf, len(background)) == (True, False, 1)
    turns.turn()
    assert head(github, f"city/{dataset['name']}") == missed["revision_id"]


def test_a_portal_that_changes_its_mind(act, dataset, github, background, ckan_config, monkeypatch, asked):
    revisions = [dataset["revision_id"], act("package_patch", id=dataset["id"], notes="Two")["revision_id"]]
    monkeypatch.setitem(ckan_config, "ckanext.metastore.publish", "inline")
    saved = act("package_patch", id=dataset["id"], notes="Three")
    assert "revision_published" not in saved
    assert _revisions(github, dataset) == [*revisions, saved["revision_id"]]
    assert len(background) == 1
    assert asked(turns.turn) == (0, 0, 0)
    monkeypatch.setitem(ckan_config, "ckanext.metastore.publish", "background")
    assert act("package_patch", id=dataset["id"], notes="Four")["revision_published"] is False
