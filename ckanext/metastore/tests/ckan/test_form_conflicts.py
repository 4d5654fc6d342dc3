"""What two sides make together, as the edit form has them."""

from __future__ import annotations

from typing import Any

import pytest

from ckanext.metastore.conflicts import join

BASE: dict[str, Any] = {
    "title": "Trees",
    "notes": "All.\nOf them.",
    "private": False,
    "version": None,
    "extras": [{"key": "district", "value": "Old town"}],
    "tags": [{"name": "oak"}],
}
FORM = {
    "title": "Trees",
    "notes": "All.\r\nOf them.",
    "private": "False",
    "version": "",
    "extras": [{"key": "district", "value": "Old town"}, {"key": "", "value": ""}],
    "tag_string": "oak",
    "save": "",
    "base_revision": "1",
}


def test_a_form_that_nobody_touched_is_theirs():
    theirs = {**BASE, "title": "City trees", "private": True, "tags": [{"name": "elm"}], "version": "2"}
    joined = join(BASE, FORM, theirs)
    assert joined.clashes == ()
    assert (joined.fields["title"], joined.fields["private"], joined.fields["version"]) == ("City trees", True, "2")
    assert joined.fields["tag_string"] == "elm"


def test_disjoint_changes_are_joined():
    theirs = {
        **BASE,
        "extras": [*BASE["extras"], {"key": "height", "value": "3"}],
        "tags": [*BASE["tags"], {"name": "elm"}],
    }
    joined = join(BASE, {**FORM, "title": "Mine", "tag_string": "oak, lime"}, theirs)
    assert joined.clashes == ()
    assert (joined.fields["title"], joined.fields["notes"]) == ("Mine", FORM["notes"])
    assert {extra["key"] for extra in joined.fields["extras"]} == {"district", "height"}
    assert set(joined.fields["tag_string"].split(", ")) == {"oak", "lime", "elm"}


@pytest.mark.parametrize(
    ("mine", "theirs", "get"),
    [
        ({"title": "Mine"}, {"title": "Theirs"}, lambda fields: fields["title"]),
        (
            {"extras": [{"key": "district", "value": "Mine"}]},
            {"extras": [{"key": "district", "value": "Theirs"}]},
            lambda fields: fields["extras"][0]["value"],
        ),
        (
            {"extras": [{"key": "district", "value": "Mine"}]},
            {"extras": []},
            lambda fields: fields["extras"][0]["value"] if fields["extras"] else "Theirs",
        ),
        (
            {"extras": [{"key": "district", "value": "Old town", "deleted": "on"}]},
            {"extras": [{"key": "district", "value": "Theirs"}]},
            lambda fields: fields["extras"][0]["value"] if fields["extras"] else "Mine",
        ),
    ],
)
def test_a_clash_is_decided(mine, theirs, get):
    sides = (BASE, {**FORM, **mine}, {**BASE, **theirs})
    assert len(join(*sides).clashes) == 1
    assert get(join(*sides, take="mine").fields) == "Mine"
    assert get(join(*sides, take="theirs").fields) == "Theirs"
    assert get(join(*sides, picks={0: "theirs"}).fields) == "Theirs"


def test_each_clash_is_decided_by_itself():
    mine, theirs = {**FORM, "title": "Mine", "notes": "Mine"}, {**BASE, "title": "Theirs", "notes": "Theirs"}
    first, second = join(BASE, mine, theirs).clashes
    picked = join(BASE, mine, theirs, picks={0: "theirs", 1: "mine"}).fields
    assert (picked[first.path[0]], picked[second.path[0]]) == ("Theirs", "Mine")
