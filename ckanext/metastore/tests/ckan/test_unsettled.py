"""The list of what is not published: its order, its pages, and what each state is."""

from __future__ import annotations

import time

import ckantoolkit as tk
import pytest
from ckan import model
from ckan.tests import factories, helpers

from ckanext.metastore import overview
from ckanext.metastore.model import pulls
from ckanext.metastore.model.pulls import Divergence
from ckanext.metastore.tests.ckan.checks import nothing_waits, sql
from ckanext.metastore.tests.ckan.outage import outage


def _listed(**params):
    return helpers.call_action("dataset_publishing_list", **params)


@pytest.fixture
def unsettled(act, organization, repositories, portal):
    """A dataset of each state, two of them waiting; their ids, as the list has them."""
    nothing_waits()
    letters = "dcba"
    stub = factories.Dataset.stub().name
    made = [act("package_create", name=f"{letter}-{stub}", owner_org=organization["id"])["id"] for letter in letters]
    diverged, failed, *waiting = made
    with outage(repositories):
        for dataset_id in (failed, *waiting):
            act("package_patch", id=dataset_id, title="Trees")
    for dataset_id in waiting:
        sql("DELETE FROM metastore_repository WHERE dataset_id = :id", id=dataset_id)
    pulls.refuse(diverged, Divergence("c0ffee" + "0" * 34, "both have changed title", [], int(time.time())))
    yield [diverged, failed, *reversed(waiting)]
    pulls.settle(diverged)


def test_the_worst_comes_first(unsettled):
    listed = _listed()
    assert [entry["id"] for entry in listed] == unsettled
    assert [entry["state"] for entry in listed] == ["diverged", "failed", "waiting", "waiting"]
    assert [overview.state(entry["publishing"]) for entry in listed] == [entry["state"] for entry in listed]
    assert listed[0]["publishing"]["diverged"]["reason"] == "both have changed title"
    assert overview.counts() == {"diverged": 1, "failed": 1, "waiting": 2}


def test_pages_and_states(unsettled):
    assert [entry["id"] for offset in (0, 3) for entry in _listed(limit=3, offset=offset)] == unsettled
    assert _listed(offset=4) == []
    assert [entry["id"] for entry in _listed(state="waiting", limit=1, offset=1)] == unsettled[3:]
    assert [entry["id"] for entry in _listed(state="failed")] == unsettled[1:2]


@pytest.mark.parametrize("wrong", [{"state": "lost"}, {"limit": 0}, {"limit": 101}, {"offset": -1}])
def test_what_is_wrong_is_named(portal, wrong):
    with pytest.raises(tk.ValidationError) as error:
        _listed(**wrong)
    assert set(error.value.error_dict) == set(wrong)


def test_a_dataset_that_is_gone_has_no_name(unsettled, repositories, app):
    *_, gone = unsettled
    with outage(repositories):
        helpers.call_action("dataset_purge", id=gone)
    model.Session.remove()
    (entry,) = [entry for entry in _listed() if entry["id"] == gone]
    assert (entry["name"], entry["state"]) == (None, "failed")
    admin = {"Authorization": factories.APIToken(user=factories.Sysadmin()["name"])["token"]}
    assert "This dataset is gone." in app.get("/ckan-admin/metastore", headers=admin).text
