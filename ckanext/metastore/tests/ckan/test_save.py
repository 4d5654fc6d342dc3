"""A save, from the action to the commit."""

from __future__ import annotations

import json

import pytest


def test_a_create_is_a_commit_in_the_editors_name(dataset, git, editor):
    repository = git(dataset["id"])
    assert repository("rev-parse", "main") == dataset["revision_id"]
    shown = repository("log", "-1", "--format=%an|%ae|%s|%b")
    assert shown.startswith(f"Edda Ito|{editor['name']}@users.noreply.test.ckan.net|First survey|CKAN-Dataset: ")
    assert f"CKAN-Dataset: {dataset['id']}\nCKAN-User: {editor['name']}" in shown
    document = json.loads(repository("show", "main:datapackage.json"))
    assert (document["title"], document["resources"][0]["path"]) == ("Street trees", "https://example.org/trees.csv")
    repository.fsck()


def test_each_save_is_a_child_of_the_one_before(dataset, act, git):
    patched = act("package_patch", id=dataset["id"], title="Trees of the city", revision_message="Clearer title")
    assert patched["revision_id"] == act("package_show", id=dataset["id"])["revision_id"]
    assert git(dataset["id"])("log", "--format=%H %P").split() == [
        patched["revision_id"],
        dataset["revision_id"],
        dataset["revision_id"],
    ]


def test_a_save_that_changes_nothing_makes_no_revision(dataset, act, rows):
    again = act("package_patch", id=dataset["id"], title=dataset["title"])
    assert again["revision_id"] == dataset["revision_id"]
    assert len(rows(dataset["id"])) == 1


def test_published_rows_keep_no_bytes(dataset, rows):
    (row,) = rows(dataset["id"])
    assert row.published
    assert row.objects is None


@pytest.mark.parametrize("ref", ["HEAD", "full", "short"])
def test_show_at_a_revision(dataset, act, ref):
    act("package_patch", id=dataset["id"], title="Changed", notes="Changed")
    named = {"HEAD": "HEAD", "full": dataset["revision_id"], "short": dataset["revision_id"][:9]}[ref]
    shown = act("package_show", id=dataset["name"], revision_ref=named)
    assert shown["title"] == ("Changed" if ref == "HEAD" else "Street trees")
