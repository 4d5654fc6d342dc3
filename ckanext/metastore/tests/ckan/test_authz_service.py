"""Beside ckanext-authz-service: our plugin steps back, and what we know of scopes goes in by its interface."""

from __future__ import annotations

from itertools import permutations

import pytest

from ckanext.metastore.tests.ckan import authz_portal

OURS = "ckanext.metastore.logic.action.tokens"
THEIRS = "ckanext.authz_service.plugin"
NO_KEY = "ckanext.authz_service.jwt_private_key_file: is not set; make a key with: metastore keys generate FILE"


@pytest.fixture(scope="module")
def beside(tables, tmp_path_factory):
    """What a portal with ckanext-authz-service saw."""
    return authz_portal.seen(tmp_path_factory.mktemp("beside"), with_stand_in=True)


@pytest.fixture(scope="module")
def without(tables, tmp_path_factory):
    """What a portal without it saw."""
    return authz_portal.seen(tmp_path_factory.mktemp("without"), with_stand_in=False)


def test_ours_steps_back_in_any_order(beside):
    orders = [" ".join(order) for order in permutations(authz_portal.PLUGINS)]
    assert beside["starts"] == {order: [THEIRS, True] for order in orders}


def test_beside_it_nothing_of_ours_needs_a_key(beside):
    assert beside["without_key"] == [THEIRS, True]


def test_alone_it_gives_tokens_or_says_what_is_missing(without):
    assert list(without["starts"].values()) == [[OURS, False]] * 2
    assert without["without_key"] == NO_KEY


def test_without_our_history_there_are_no_tags_to_ask_for(without):
    name, status, granted = without["alone"]
    assert (status, granted) == (200, [f"ds:{name}:read"])


def test_who_gets_what_through_it(beside):
    writes, reads = ["obj:{}/*:read,write"], ["obj:{}/*:read"]
    none: list[str] = []
    for dataset, member, public in (("trees", reads, reads), ("hidden", reads, none)):
        for user, files in (("edda", writes), ("mona", member), ("rita", public), ("nobody", public)):
            who = f"{user} {dataset}"
            for scope in ("ds:{}:tag", "ds:{}:revert"):
                assert beside["grants"][f"{who} {scope}"] == ([scope] if user == "edda" else []), who
            assert beside["grants"][f"{who} obj:{{}}/*:read,write"] == files, who
            assert beside["grants"][f"{who} ds:{{}}:read"] == (["ds:{}:read"] if files else []), who
            assert beside["grants"][f"{who} ds:{{}}:read,tag"] == [], "what two extensions say is intersected"


def test_its_tokens_open_what_they_say(beside):
    for who, granted in beside["grants"].items():
        if who not in beside["opened"]:
            continue
        # Of one that says nothing, or has a subject that is null, we take none.
        refused = 401 if not granted or who.startswith("nobody") else 200
        assert beside["opened"][who] == refused, who
