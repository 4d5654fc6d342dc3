"""``ckan metastore backfill``: the histories of datasets that were there before the plugin."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import ckan.plugins as p
import pytest
from ckan import model
from ckan.tests import factories, helpers

from ckanext.metastore.cli import metastore
from ckanext.metastore.model import backlog

ALL = {"dataset"}


@pytest.fixture
def before(act, organization):
    """Datasets that were made before the plugin came."""

    def make(count=1, **params):
        p.unload("metastore")
        try:
            given = {"title": "Bus stops", "owner_org": organization["id"], **params}
            return [
                act("package_create", **{"name": factories.Dataset.stub().name, **given})["id"] for _ in range(count)
            ]
        finally:
            p.load("metastore")

    return make


@pytest.fixture
def backfill(cli):
    """Run the command; gives the exit status and what it tells."""

    def run(*arguments):
        result = cli.invoke(metastore, ["backfill", "--json", *arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result.exit_code, json.loads(result.stdout)

    return run


def test_one_revision_of_the_present_state(before, backfill, act, git, rows):
    (dataset_id,) = before(resources=[{"url": "https://example.org/stops.csv"}])
    modified = model.Package.get(dataset_id).metadata_modified.replace(microsecond=0, tzinfo=timezone.utc)
    result = {"datasets": 1, "revisions": 1, "published": 1, "failed": {}}
    assert backfill(dataset_id) == (0, result)
    (revision,) = act("dataset_revision_list", id=dataset_id)
    assert (revision["author"], revision["message"], revision["published"]) == ("CKAN", "Add to the metastore", True)
    assert datetime.fromisoformat(revision["timestamp"]) == modified
    assert git(dataset_id)("log", "--format=%H %an %at") == f"{revision['id']} CKAN {int(modified.timestamp())}"
    git(dataset_id).fsck()


def test_a_second_run_does_nothing(before, backfill, rows):
    ids = before(3)
    backfill(*ids)
    first = [rows(dataset_id) for dataset_id in ids]
    model.Session.remove()
    assert backlog.without_history(ALL, ids) == []
    nothing = {"datasets": 0, "revisions": 0, "published": 0, "failed": {}}
    assert backfill(*ids) == (0, nothing)
    assert [rows(dataset_id) for dataset_id in ids] == first


def test_a_save_that_changes_nothing_makes_no_revision_afterwards(before, backfill, act, rows):
    (dataset_id,) = before(resources=[{"url": "https://example.org/stops.csv"}], tags=[{"name": "bus"}])
    backfill(dataset_id)
    act("package_update", **act("package_show", id=dataset_id))
    assert len(rows(dataset_id)) == 1
