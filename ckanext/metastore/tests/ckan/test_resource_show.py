"""A resource as it was: by its dataset's revision, also where it is gone now."""

from __future__ import annotations

import ckantoolkit as tk
import pytest


@pytest.fixture
def resource(dataset, act):
    """It has changed since, and is gone now."""
    (first,) = dataset["resources"]
    act("resource_patch", id=first["id"], name="Renamed")
    act("package_patch", id=dataset["id"], resources=[{"name": "Other", "url": "https://example.org/other.csv"}])
    return first


def test_at_a_revision(dataset, act):
    (first,) = dataset["resources"]
    renamed = act("resource_patch", id=first["id"], name="Renamed")
    past = act("resource_show", id=first["id"], revision_ref=dataset["revision_id"])
    assert (past["name"], past["revision_id"]) == ("Street trees 2024", dataset["revision_id"])
    now = act("resource_show", id=first["id"], revision_ref="HEAD")
    assert (now["name"], now["revision_id"]) == ("Renamed", renamed["revision_id"])
    assert past.keys() == {*first.keys(), "revision_id"} - {"metadata_modified"}


def test_without_a_ref_it_is_as_ckan_shows_it(dataset, act):
    (first,) = act("package_show", id=dataset["id"])["resources"]
    assert act("resource_show", id=first["id"]) == first


@pytest.mark.parametrize("named_by", ["id", "name"])
def test_one_that_is_gone_is_found_in_its_dataset(dataset, resource, act, named_by):
    package = {"package_id": dataset[named_by], "revision_ref": dataset["revision_id"]}
    assert act("resource_show", id=resource["id"], **package)["name"] == "Street trees 2024"


def test_one_that_is_gone_is_not_found_by_itself(dataset, resource, act):
    with pytest.raises(tk.ObjectNotFound) as error:
        act("resource_show", id=resource["id"], revision_ref=dataset["revision_id"])
    assert "package_id" in str(error.value)


def test_one_that_was_not_there_yet(dataset, act):
    later = act("resource_create", package_id=dataset["id"], url="https://example.org/later.csv")
    with pytest.raises(tk.ObjectNotFound):
        act("resource_show", id=later["id"], revision_ref=dataset["revision_id"])


def test_one_of_another_dataset(dataset, act, organization):
    other = act("package_create", name=f"{dataset['name']}-2", owner_org=organization["id"])
    with pytest.raises(tk.ObjectNotFound):
        act("resource_show", id=dataset["resources"][0]["id"], revision_ref="HEAD", package_id=other["id"])


def test_the_tag_of_its_dataset_names_the_revision(dataset, act):
    act("dataset_tag_create", id=dataset["id"], name="v1")
    act("resource_patch", id=dataset["resources"][0]["id"], name="Renamed")
    past = act("resource_show", id=dataset["resources"][0]["id"], revision_ref="v1")
    assert past["name"] == "Street trees 2024"
