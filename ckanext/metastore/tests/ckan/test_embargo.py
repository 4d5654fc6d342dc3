"""An embargo that a plugin lifts or sets by itself, with time: no save tells that a dataset can be read or not."""

from __future__ import annotations

import ckan.plugins as p
import ckantoolkit as tk
import pytest
from ckan.lib.plugins import DefaultPermissionLabels


class Embargo(p.SingletonPlugin, DefaultPermissionLabels):
    """On some days all datasets are for their owners only."""

    p.implements(p.IPermissionLabels)
    on = True

    def get_dataset_labels(self, dataset_obj):
        labels = super().get_dataset_labels(dataset_obj)
        return [f"member-{dataset_obj.owner_org}"] if self.on else labels


@pytest.fixture
def embargo(load):
    plugin = load(Embargo)
    plugin.on = True  # it is one object for all tests
    return plugin


@pytest.fixture
def as_reader(act, reader):
    return lambda action, **params: act(action, user=reader["name"], **params)


def test_lifted_it_shows_what_comes_from_then_on(embargo, dataset, act, as_reader, git):
    act("package_patch", id=dataset["id"], notes="Under embargo")
    act("dataset_tag_create", id=dataset["id"], name="secret")
    embargo.on = False
    assert as_reader("package_show", id=dataset["id"])["revision_id"] is None
    assert as_reader("dataset_revision_list", id=dataset["id"]) == []
    assert as_reader("dataset_tag_list", id=dataset["id"]) == []
    for params in ({"revision_ref": "HEAD"}, {"revision_ref": "secret"}, {"as_of": "2100-01-01"}):
        with pytest.raises(tk.ObjectNotFound):
            as_reader("package_show", id=dataset["id"], **params)
    assert not git(dataset["id"]).public.exists()
    saved = act("package_patch", id=dataset["id"], notes="Open")
    (listed,) = as_reader("dataset_revision_list", id=dataset["id"])
    assert (listed["id"], listed["parents"]) == (saved["revision_id"], [])
    assert git(dataset["id"])("log", "--format=%H") == saved["revision_id"]


def test_set_it_hides_all_and_what_was_public_stays_so(embargo, act, organization, as_reader, git):
    embargo.on = False
    dataset = act("package_create", name=organization["name"], owner_org=organization["id"])
    assert dataset["id"] in _lately(as_reader)
    embargo.on = True
    with pytest.raises(tk.ObjectNotFound):
        as_reader("dataset_revision_list", id=dataset["id"])
    assert dataset["id"] not in _lately(as_reader)
    act("package_patch", id=dataset["id"], notes="Under embargo")
    embargo.on = False
    assert [item["id"] for item in as_reader("dataset_revision_list", id=dataset["id"])] == [dataset["revision_id"]]
    assert as_reader("package_show", id=dataset["id"])["revision_id"] == dataset["revision_id"]
    assert git(dataset["id"])("log", "--format=%H") == dataset["revision_id"]


def _lately(as_reader):
    return {revision["dataset"]["id"] for revision in as_reader("site_revision_list", limit=100)}


def test_while_it_lasts_a_save_that_changes_nothing_is_none(embargo, dataset, act, rows):
    act("package_patch", id=dataset["id"], title=dataset["title"])
    assert [row.public for row in rows(dataset["id"])] == [False]


def test_reverting_to_what_was_under_embargo_needs_allow_private(embargo, dataset, act):
    embargo.on = False
    act("package_patch", id=dataset["id"], notes="Open")
    for more in ({}, {"dry_run": True}, {"fields": ["notes"]}):
        with pytest.raises(tk.ValidationError) as error:
            act("dataset_revert", id=dataset["id"], to_revision_ref=dataset["revision_id"], **more)
        assert list(error.value.error_dict) == ["allow_private"]
