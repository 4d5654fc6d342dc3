"""``ckan metastore backfill`` at GitHub: what is pushed, and how fast repositories may be made."""

from __future__ import annotations

import time

import pytest
from ckan import model

from ckanext.metastore import config
from ckanext.metastore.cli.crew import ATTEMPTS
from ckanext.metastore.cli.pace import Pace
from ckanext.metastore.model import backlog
from ckanext.metastore.testing.git import git
from ckanext.metastore.testing.github import Fault
from ckanext.metastore.tests.ckan.past import activity, before_the_plugin, shown

from .conftest import head


def _requests(github, method):
    return [request for request in github.requests if request.kind == "rest" and request.method == method]


def test_each_public_dataset_is_one_repository_and_one_push(before, backfill, github, rows, act, activity_table):
    ids = before(3)
    with before_the_plugin():
        act("package_patch", id=ids[2], private=True)
    for dataset_id in ids:
        activity(dataset_id, {**shown(dataset_id), "private": False, "title": "As it was"}, "2021-05-01")
    assert backfill("--from-activities", *ids)[0] == 0
    assert (len(_requests(github, "POST")), github.pushes) == (2, 2)
    for dataset_id in ids[:2]:
        name = f"city/{model.Package.get(dataset_id).name}"
        assert head(github, name) == rows(dataset_id)[-1].sha
        assert git("rev-list", "--count", "main", cwd=github.repository(name).path).strip() == "2"


def test_github_asks_for_a_pause(before, backfill, github, rows):
    ids = before(3)
    github.fail(Fault.secondary_limit(retry_after=2, method="POST", path="/orgs/city/repos"))
    began = time.monotonic()
    status, told = backfill(*ids)
    assert (status, told["published"]) == (0, 3)
    assert time.monotonic() - began >= 2
    assert len(_requests(github, "POST")) == 4
    assert all(rows(dataset_id)[0].published for dataset_id in ids)


def test_github_goes_on_asking(before, backfill, github, rows):
    (dataset_id,) = before()
    github.fail(Fault.secondary_limit(retry_after=1, method="POST", path="/orgs/city/repos", times=None))
    status, told = backfill(dataset_id)
    assert (status, told["published"], list(told["failed"])) == (1, 0, [dataset_id])
    assert len(_requests(github, "POST")) == ATTEMPTS
    github.clear_faults()
    assert backfill(dataset_id)[0] == 0
    assert rows(dataset_id)[0].published


def test_the_limit_holds_at_github_com_only(before, backfill, github, ckan_config, monkeypatch):
    assert config.limiting_host() == ""
    new, begun = before(2)
    backfill(begun)
    github.fail(Fault(kind="rest", status=503, times=None))
    backfill(new)
    assert backlog.without_repository(github.git_url) >= {new}
    assert begun not in backlog.without_repository(github.git_url)
    github.clear_faults()
    backfill(new)
    assert new not in backlog.without_repository(github.git_url)
    monkeypatch.setitem(ckan_config, "ckanext.metastore.github.api_url", "https://api.github.com")
    assert config.limiting_host() == github.git_url
    monkeypatch.setitem(ckan_config, "ckanext.metastore.backend", "git")
    assert config.limiting_host() == ""


class Clock:
    """A clock that stands still, unless told."""

    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_never_more_than_may_be_within_any_time(clock):
    limits = ((3, 60.0), (5, 3600.0))
    pace = Pace({"new"}, limits, clock)
    made = []
    for _ in range(8000):
        if pace.may_begin("new"):
            pace.begin("new")
            made.append(clock.now)
            clock.now += 0.5
            pace.end("new")
        clock.now += 1
    assert len(made) == 15
    for number, seconds in limits:
        assert all(later - earlier >= seconds for earlier, later in zip(made, made[number:], strict=False))


def test_what_is_under_way_counts(clock):
    pace = Pace({"new"}, [(2, 60.0)], clock)
    pace.begin("new")
    pace.begin("new")
    clock.now += 600  # GitHub may get it any moment
    assert not pace.may_begin("new")
    assert pace.may_begin("has one")
    pace.end("new")
    assert not pace.may_begin("new")
    clock.now += 60
    assert pace.may_begin("new")


def test_a_pause_is_for_all(clock):
    pace = Pace((), [(2, 60.0)], clock)
    pace.pause(30)
    pace.pause(10)
    clock.now += 29
    assert not pace.may_begin("has one")
    clock.now += 1
    assert pace.may_begin("has one")
