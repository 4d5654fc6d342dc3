"""``ckan metastore backfill``: the histories of datasets that were there before the plugin."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path

import ckan.plugins as p
import pytest
from ckan import model

from ckanext.metastore import backfilling
from ckanext.metastore.cli import metastore
from ckanext.metastore.cli.crew import share_out
from ckanext.metastore.cli.pace import Pace
from ckanext.metastore.model import backlog
from ckanext.metastore.tests.ckan.outage import outage
from ckanext.metastore.tests.ckan.past import before_the_plugin

PATIENCE = 120


@pytest.fixture
def started(repositories):
    """Start the command as a program of its own, for some datasets."""
    running = []

    def start(ids, *options):
        process = subprocess.Popen(
            [
                Path(sys.executable).with_name("ckan"),
                "-c",
                os.environ["CKAN_INI"],
                "metastore",
                "backfill",
                "--json",
                *options,
                *ids,
            ],
            env={**os.environ, "CKANEXT__METASTORE__PATH": str(repositories)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def recorded(rows):
    """How many of some datasets have a revision; how many of these are published."""

    def count(ids, *, published=False):
        model.Session.remove()
        return sum(any(row.published or not published for row in rows(dataset_id)) for dataset_id in ids)

    return count


def _until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def _lives(group):
    """Whether a process of the group runs. What is dead may lie about until its new parent looks."""
    states = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
            states += [state] if int(its_group) == group else []
    return any(state != "Z" for state in states)


# -- the present state ----------------------------------------------------------------------------------------------


def test_one_revision_of_the_present_state(before, backfill, act, git):
    (dataset_id,) = before(resources=[{"url": "https://example.org/stops.csv"}])
    modified = datetime(2024, 2, 29, 12, tzinfo=timezone.utc)
    with before_the_plugin():
        model.Package.get(dataset_id).metadata_modified = modified.replace(tzinfo=None)
        model.Session.commit()
    assert backfill(dataset_id) == (0, {"datasets": 1, "revisions": 1, "published": 1, "failed": {}})
    (revision,) = act("dataset_revision_list", id=dataset_id)
    assert (revision["author"], revision["message"], revision["published"]) == ("CKAN", "Add to the metastore", True)
    assert datetime.fromisoformat(revision["timestamp"]) == modified
    assert git(dataset_id)("log", "--format=%H %an %at") == f"{revision['id']} CKAN {int(modified.timestamp())}"
    git(dataset_id).fsck()


def test_a_second_run_does_nothing(before, backfill, rows):
    ids = before(3)
    backfill(*ids)
    first = [rows(dataset_id) for dataset_id in ids]
    assert backlog.without_history({"dataset"}, ids) == []
    assert backfill(*ids) == (0, {"datasets": 0, "revisions": 0, "published": 0, "failed": {}})
    model.Session.remove()
    assert [rows(dataset_id) for dataset_id in ids] == first


def test_a_save_that_changes_nothing_makes_no_revision_afterwards(before, backfill, act, rows):
    (dataset_id,) = before(resources=[{"url": "https://example.org/stops.csv"}], tags=[{"name": "bus"}])
    backfill(dataset_id)
    act("package_update", **act("package_show", id=dataset_id))
    assert len(rows(dataset_id)) == 1


def test_which_datasets(before, backfill, rows, act, git):
    active, deleted, hidden, draft = before(4)
    (other_type,) = before(type="showcase")
    with before_the_plugin():
        act("package_delete", id=deleted)
        act("package_patch", id=hidden, private=True)
        model.Package.get(draft).state = "draft"
        model.Session.commit()
    status, told = backfill(active, deleted, hidden, draft, other_type)
    assert (status, told["datasets"]) == (0, 3)
    public = {dataset_id: [row.public for row in rows(dataset_id)] for dataset_id in (active, deleted, hidden)}
    assert public == {active: [True], deleted: [False], hidden: [False]}
    for dataset_id in (draft, other_type):  # what has become so since the list was made
        assert backfilling.backfill(dataset_id, from_activities=False) == backfilling.Outcome()
    assert rows(draft) == rows(other_type) == []
    assert not git(deleted).public.exists()
    assert not git(hidden).public.exists()


def test_all_of_them(before, backfill, recorded):
    ids = before(2)
    _, told = backfill("--workers", "1")
    assert told["datasets"] >= 2
    assert recorded(ids, published=True) == 2
    assert not set(ids) & set(backlog.without_history({"dataset"}, None))


def test_by_name_and_for_people(before, cli):
    (dataset_id,) = before()
    result = cli.invoke(metastore, ["backfill", model.Package.get(dataset_id).name])
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "datasets: 1, revisions: 1, published: 1, failed: 0"
    assert cli.invoke(metastore, ["backfill", "nothing-of-this-name"]).exit_code == 2


# -- what goes wrong ------------------------------------------------------------------------------------------------


def test_what_cannot_be_published_waits(before, backfill, cli, repositories, act, git):
    (dataset_id,) = before()
    with outage(repositories):
        result = cli.invoke(metastore, ["backfill", dataset_id])
        assert result.exit_code == 1
        assert "run the same command again" in result.output
        (revision,) = act("dataset_revision_list", id=dataset_id)
        assert not revision["published"]
    assert backfill(dataset_id) == (0, {"datasets": 0, "revisions": 0, "published": 1, "failed": {}})
    assert git(dataset_id)("rev-parse", "main") == revision["id"]


def test_one_that_fails_does_not_stop_the_rest(before, backfill, recorded, load):
    ids = before(3)

    class Broken(p.SingletonPlugin):
        p.implements(p.IPackageController, inherit=True)

        def after_dataset_show(self, context, pkg_dict):
            if pkg_dict["id"] == ids[1]:
                raise RuntimeError("A secret of the plugin's")

    load(Broken)
    status, told = backfill(*ids)
    assert (status, told["datasets"], told["failed"]) == (1, 2, {ids[1]: "RuntimeError, see the log"})
    assert recorded(ids) == 2


def test_a_worker_that_dies_costs_its_dataset_only():
    def act(name):
        if name == "3":
            os._exit(1)
        return os.getpid()

    done = {one.name: one for one in share_out("012345", act, workers=2, pace=Pace())}
    assert {name: one.error for name, one in done.items() if one.error} == {"3": "its worker has died"}
    assert os.getpid() not in {one.value for one in done.values()}
    alone = [one.error for one in share_out("345", act, workers=1, pace=Pace())]
    assert alone == ["its worker has died", "there is no worker left", "there is no worker left"]


def test_it_goes_on_where_it_was_killed(before, backfill, started, recorded, git, rows):
    ids = before(40)
    interrupted = started(ids, "--workers", "2")
    _until(lambda: recorded(ids) >= 3)
    os.killpg(interrupted.pid, signal.SIGINT)
    assert "Traceback" not in "".join(interrupted.communicate(timeout=PATIENCE))
    assert interrupted.returncode == 1
    assert not _lives(interrupted.pid)
    recording = started(ids, "--workers", "2")
    _until(lambda: recorded(ids) >= 12)
    recording.kill()
    _until(lambda: not _lives(recording.pid))  # its workers end, too
    assert 12 <= recorded(ids) < 40
    publishing = started(ids, "--workers", "2")
    _until(lambda: recorded(ids, published=True) >= 5)
    os.killpg(publishing.pid, signal.SIGKILL)
    assert recorded(ids) == 40
    assert recorded(ids, published=True) < 40
    assert backfill(*ids)[1]["datasets"] == 0
    _until(lambda: backfill(*ids)[0] == 0)  # a ref that was locked is free after a minute
    model.Session.remove()
    for dataset_id in ids:
        (row,) = rows(dataset_id)
        assert git(dataset_id)("rev-list", "main") == row.sha
        git(dataset_id).fsck()


# -- at the same time -----------------------------------------------------------------------------------------------


def test_two_at_once_while_people_save(before, started, recorded, act, rows, git):
    ids = before(20)
    both = [started(ids), started(list(reversed(ids)))]
    _until(lambda: recorded(ids) >= 2)
    for number, dataset_id in enumerate(reversed(ids)):
        act("package_patch", id=dataset_id, title=f"Saved meanwhile {number}")
    told = [json.loads(process.communicate(timeout=PATIENCE)[0]) for process in both]
    assert [(process.returncode, one["failed"]) for process, one in zip(both, told, strict=True)] == [(0, {})] * 2
    model.Session.remove()
    begun_by_a_save = [dataset_id for dataset_id in ids if rows(dataset_id)[0].message != "Add to the metastore"]
    assert sum(one["datasets"] for one in told) + len(begun_by_a_save) == len(ids)
    for dataset_id in ids:
        shas = [row.sha for row in rows(dataset_id)]
        assert len(shas) == (1 if dataset_id in begun_by_a_save else 2)
        assert git(dataset_id)("rev-list", "--reverse", "main").split() == shas
        git(dataset_id).fsck()
