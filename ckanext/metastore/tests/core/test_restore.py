"""A dataset made to be as it was."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given

from ckanext.metastore.core.errors import Invalid
from ckanext.metastore.core.restore import KEPT_FIELDS, restore
from ckanext.metastore.tests.core.generated import DOCUMENTS, canonical


def dataset(*resources: str, **fields: Any) -> dict[str, Any]:
    return {"resources": [{"id": name[0], "url": name} for name in resources], **fields}


NOW = dataset("a2", "c", "d", id="1", name="new-name", private=False, state="active", title="New", notes="n")
THEN = dataset("a1", "b", "c", id="1", name="old-name", private=True, owner_org="o", title="Old", version="1")


def test_the_whole_dataset_is_as_it_was_but_for_what_says_whose_it_is():
    assert restore(NOW, THEN, fields=None, resources=None) == dataset(
        "a1", "b", "c", id="1", name="new-name", private=False, state="active", title="Old", version="1"
    )


def test_only_the_named_fields_change():
    restored = restore(NOW, THEN, fields=["title", "notes", "version"], resources=None)
    assert restored == {**{key: value for key, value in NOW.items() if key != "notes"}, "title": "Old", "version": "1"}


@pytest.mark.parametrize(
    ("ids", "urls"),
    [
        (["a"], ["a1", "c", "d"]),
        (["b"], ["a2", "b", "c", "d"]),
        (["d"], ["a2", "c"]),
        (["d", "b", "a"], ["a1", "b", "c"]),
        (["c"], ["a2", "c", "d"]),
    ],
)
def test_only_the_named_resources_change(ids, urls):
    assert restore(NOW, THEN, fields=None, resources=ids) == {**NOW, **dataset(*urls)}


def test_fields_and_resources_together():
    assert restore(NOW, THEN, fields=["title"], resources=["b"]) == {**NOW, **dataset("a2", "b", "c", "d", title="Old")}


@pytest.mark.parametrize(("fields", "resources"), [([], None), (None, []), ([], [])])
def test_nothing_named_is_nothing_changed(fields, resources):
    assert restore(NOW, THEN, fields=fields, resources=resources) == NOW


@pytest.mark.parametrize("field", ["nonsense", *KEPT_FIELDS])
def test_a_field_that_cannot_be_restored(field):
    with pytest.raises(Invalid) as caught:
        restore(NOW, THEN, fields=["title", field], resources=None)
    assert caught.value.field == "fields"
    assert field in caught.value.reason


def test_a_resource_that_never_was():
    with pytest.raises(Invalid) as caught:
        restore(NOW, THEN, fields=None, resources=["a", "z"])
    assert caught.value.field == "resources"
    assert "'z'" in caught.value.reason


def test_the_result_shares_nothing_with_what_was_given():
    now, then = deepcopy(NOW), deepcopy(THEN)
    restored = restore(now, then, fields=["title"], resources=["b"])
    for resource in restored["resources"]:
        resource["url"] = "changed"
    assert (now, then) == (NOW, THEN)


@given(DOCUMENTS, DOCUMENTS)
def test_to_restore_every_field_is_to_restore_the_whole(now, then):
    whole = restore(now, then, fields=None, resources=None)
    assert canonical(whole) == canonical(restore(now, then, fields=[*now, *then], resources=None))
    assert canonical(whole) == canonical(then)
