"""A token only narrows: no detour leads from the dataset that it is about to another one, or to more rights."""

from __future__ import annotations

import json
from typing import Any

import ckan.plugins as p
import ckantoolkit as tk
import pytest
from ckan import model
from ckan.tests import factories

from ckanext.metastore.tests.ckan.city import ref


@pytest.fixture(scope="module")
def repositories(tmp_path_factory):
    return tmp_path_factory.mktemp("repositories")


@pytest.fixture
def mine(city):
    """A dataset that the token is about."""
    return city.dataset(city.parks)


@pytest.fixture
def bring(city, mine, mint):
    """An editor's token for that dataset."""
    return mint(city.edda, f"ds:{ref(city.parks, mine)}:read,update")


@pytest.fixture
def told(api, bring):
    """Call an action with that token; gives the status and what is said."""

    def tell(action, params, headers=None):
        answer = api(action, params, headers or bring)
        return answer.status_code, "" if answer.json["success"] else answer.json["error"].get("message")

    return tell


def _denied(action):
    return 403, f"Access denied: This token does not allow {action} here"


def _now(dataset):
    """The dataset's row as it is now."""
    model.Session.rollback()
    model.Session.expire_all()
    return model.Package.get(dataset["id"])


MOVES = {
    "package_patch": lambda mine, to: {"id": mine["id"], "owner_org": to},
    "package_update": lambda mine, to: {"id": mine["id"], "name": mine["name"], "owner_org": to},
    "package_revise": lambda mine, to: {"match__id": mine["id"], "update__owner_org": to},
    "package_owner_org_update": lambda mine, to: {"id": mine["id"], "organization_id": to},
}


@pytest.mark.parametrize("by", ["id", "name"])
def test_to_move_a_dataset_is_to_create_it_there(city, api, mint, by):
    for action, call in MOVES.items():
        mine = city.dataset(city.parks)
        user = city.boss if action == "package_owner_org_update" else city.edda
        update = f"ds:{ref(city.parks, mine)}:update"
        denied = _denied("package_owner_org_update" if action == "package_owner_org_update" else "package_update")
        others = (
            f"ds:{ref(city.transport, mine)}:create",
            f"ds:{city.parks['name']}/:create",
            "ds:*/:create",
            f"ds:{city.transport['name']}/*:update,create",
            f"ds:{city.transport['name']}/:update",
        )
        for to in (city.transport[by], "no-such", "", [city.transport[by]], {"id": city.transport[by]}, None):
            answer = api(action, call(mine, to), mint(user, update, *others))
            if to is None and action != "package_owner_org_update":
                continue  # CKAN takes that for nothing said
            assert (answer.status_code, answer.json["error"]["message"]) == denied, (action, to)
        assert _now(mine).owner_org == city.parks["id"]
        answer = api(action, call(mine, city.transport[by]), mint(user, update, f"ds:{city.transport[by]}/:create"))
        assert answer.status_code == 200, answer.json
        assert _now(mine).owner_org == city.transport["id"]


def test_nothing_said_of_the_organization_leaves_the_dataset_there(city, api, mint, mine):
    bring = mint(city.boss, f"ds:{ref(city.parks, mine)}:update")
    calls = {
        "package_owner_org_update": {"id": mine["id"]},
        "package_update": {"id": mine["id"], "name": mine["name"], "title": "New"},
        "package_revise": {"match__id": mine["id"], "filter": ["-owner_org"], "update__title": "Newer"},
        "package_patch": {"id": mine["id"], "owner_org": None},
    }
    for action, call in calls.items():
        api(action, call, bring)
        assert _now(mine).owner_org == city.parks["id"], action


def test_to_delete_by_a_save_is_to_delete(city, api, mint, mine, bring, told):
    calls = {
        "package_patch": {"id": mine["id"], "state": "deleted"},
        "package_update": {"id": mine["id"], "name": mine["name"], "state": "deleted"},
        "package_revise": {"match__id": mine["id"], "update__state": "deleted"},
    }
    for action, call in calls.items():
        assert told(action, call) == _denied("package_update")
    assert _now(mine).state == "active"
    for action, call in calls.items():
        assert api(action, call, mint(city.edda, f"ds:{mine['id']}:update,delete")).status_code == 200
        assert _now(mine).state == "deleted"
        city.call("package_patch", id=mine["id"], state="active")


DETOURS = {
    "resource_show": lambda mine, other: {"id": other["resources"][0]["id"], "package_id": mine["id"]},
    "resource_update": lambda mine, other: {"id": other["resources"][0]["id"], "package_id": mine["id"], "url": "x"},
    "resource_patch": lambda mine, other: {"id": other["resources"][0]["id"], "package_id": mine["id"], "url": "x"},
    "resource_delete": lambda mine, other: {"id": other["resources"][0]["id"], "package_id": mine["id"]},
    "resource_create": lambda mine, other: {"package_id": other["id"], "id": mine["id"], "url": "x"},
    "package_show": lambda mine, other: {"id": other["id"], "name_or_id": mine["id"], "name": mine["name"]},
    "package_update": lambda mine, other: {"id": other["id"], "name": mine["name"], "title": "Taken"},
    "package_patch": lambda mine, other: {"id": other["id"], "name": mine["name"], "title": "Taken"},
    "package_revise": lambda mine, other: {
        "match": {"name": mine["name"]},
        "match__id": other["id"],
        "update__title": "Taken",
    },
    "dataset_tag_create": lambda mine, other: {"id": other["id"], "name": mine["name"], "package_id": mine["id"]},
    "dataset_publish": lambda mine, other: {"id": other["id"], "package_id": mine["id"]},
}
"""Calls that name the token's dataset beside another one, which they are about."""


def test_who_names_two_datasets_needs_the_one_that_it_is_about(city, told, mine):
    other = city.stops
    for action, call in DETOURS.items():
        assert told(action, call(mine, other)) == _denied(action)
    assert _now(other).title == other["title"]


MATCHES = [
    lambda mine, other: {"match": {"id": other["id"], "name": mine["name"]}},
    lambda mine, other: {"match": json.dumps({"id": other["id"]}), "match__name": mine["name"]},
    lambda mine, other: {"match": {"id": mine["id"]}, "match__id": other["id"]},
    lambda mine, other: {"match": {"id": mine["id"]}, "match__id": json.dumps(other["id"])},
    lambda mine, other: {"match": {"id": other["id"]}, "match__id": "null", "match__name": mine["name"]},
    lambda mine, other: {"match__name": json.dumps(other["name"]), "match": {"name": mine["name"]}},
    lambda mine, other: {"match": f'{{"id": "{mine["id"]}", "id": "{other["id"]}"}}'},
    lambda mine, other: {"match": {}, "match__id": other["name"]},
]


def test_what_a_revision_matches_is_what_it_is_about(city, told, mine):
    for match in MATCHES:
        for guess in (city.stops["title"], "Nothing like it"):
            call = {**match(mine, city.stops), "match__title": guess, "update__notes": "Taken"}
            assert told("package_revise", call) == _denied("package_revise")
        call = {**match(city.stops, mine), "update__notes": "New"}
        assert told("package_revise", call)[0] in {200, 409}


def test_a_name_that_is_json_hides_no_dataset(city, api, mint):
    """CKAN reads ``match__id="null"`` as none at all, so that the next criterion counts."""
    null = city.call("package_create", name="null", owner_org=city.parks["id"])
    bring = mint(city.edda, f"ds:{ref(city.parks, null)}:update")
    for guess in (city.stops["title"], "Nothing like it"):
        call = {"match__id": "null", "match__name": city.stops["name"], "match__title": guess}
        answer = api("package_revise", call, bring)
        assert (answer.status_code, answer.json["error"]["message"]) == _denied("package_revise")
    city.call("dataset_purge", id=null["id"])


def test_a_resource_stays_with_its_dataset(city, api, told, mine):
    (theirs,), (ours,) = city.stops["resources"], mine["resources"]
    for action, call in {
        "package_patch": {"id": mine["id"], "resources": [ours, {**theirs, "url": "https://example.org/x"}]},
        "resource_create": {"package_id": mine["id"], **theirs, "id": theirs["id"]} | {"package_id": mine["id"]},
        "resource_patch": {"id": ours["id"], "package_id": city.stops["id"]},
        "package_revise": {"match__id": mine["id"], "update__resources__0__package_id": city.stops["id"]},
    }.items():
        assert told(action, call)[0] in {200, 403, 409}, action
    assert city.call("resource_show", id=theirs["id"])["package_id"] == city.stops["id"]
    assert city.call("resource_show", id=theirs["id"])["url"] == theirs["url"]
    assert city.call("resource_show", id=ours["id"])["package_id"] == mine["id"]


def test_a_past_resource_of_another_dataset(city, api, told, mine):
    (theirs,) = city.stops["resources"]
    of = {"id": theirs["id"], "revision_ref": "HEAD"}
    assert told("resource_show", {**of, "package_id": city.stops["id"]}) == _denied("resource_show")
    assert told("resource_show", of) == _denied("resource_show")
    assert told("resource_show", {**of, "package_id": mine["id"]})[0] == 404
    assert told("resource_show", {"id": mine["resources"][0]["id"], "revision_ref": "HEAD"})[0] == 200
    nothing: list[Any] = ["", None, 0, []]
    for absent in nothing:
        assert told("resource_show", {"id": theirs["id"], "package_id": mine["id"], "revision_ref": absent})[0] == 403


def test_oddities_open_nothing(city, told, mine):
    for odd in (
        None,
        "",
        [],
        [mine["id"]],
        {"id": mine["id"]},
        1,
        True,
        "\0",
        "\ud800",
        f" {mine['id']}",
        "*",
        "x" * 9999,
    ):
        assert told("package_show", {"id": odd}) == _denied("package_show")
        assert told("package_patch", {"id": odd}) == _denied("package_patch")
        assert told("resource_show", {"id": odd}) == _denied("resource_show")
        assert told("package_revise", {"match__id": odd}) == _denied("package_revise")
        assert told("package_revise", {"match": {"id": odd}}) == _denied("package_revise")
        assert told("package_create", {"owner_org": odd, "name": "odd-one"}) == _denied("package_create")


def test_a_group_is_no_organization(city, api, mint, mine):
    group = factories.Group()
    bring = mint(city.boss, f"ds:{group['name']}/:create", f"ds:{ref(city.parks, mine)}:update")
    created = api("package_create", {"owner_org": group["id"], "name": factories.Dataset.stub().name}, bring)
    assert (created.status_code, created.json["error"]["message"]) == _denied("package_create")
    moved = api("package_owner_org_update", {"id": mine["id"], "organization_id": group["id"]}, bring)
    assert (moved.status_code, moved.json["error"]["message"]) == _denied("package_owner_org_update")


class Meddler(p.SingletonPlugin):
    """After a save it looks at another dataset, and saves it too, in the name of whoever has saved."""

    p.implements(p.IPackageController, inherit=True)
    other: dict | None = None
    tag = ""
    seen: tuple = ()

    def after_dataset_update(self, context, pkg_dict):
        if self.tag:
            tk.get_action("dataset_tag_create")({"user": context["user"]}, {"id": pkg_dict["id"], "name": self.tag})
        if not self.other or pkg_dict["id"] == self.other["id"]:
            return
        found = tk.get_action("package_show")({"user": context["user"]}, {"id": self.other["id"]})
        self.seen += ((context["user"], tk.current_user.name, tk.g.user, found["id"]),)
        nested = {"user": context["user"], "auth_user_obj": context["auth_user_obj"], "defer_commit": True}
        tk.get_action("package_patch")(nested, {"id": self.other["id"], "notes": "Meddled with"})


def test_a_plugin_acts_as_the_subject_within_its_scopes(city, api, mint, mine, load):
    plugin = load(Meddler)
    plugin.other, plugin.seen = city.stops, ()
    alone = f"ds:{ref(city.parks, mine)}:update"
    patch = ("package_patch", {"id": mine["id"], "title": "New"})
    answer = api(*patch, mint(city.edda, alone))
    assert (answer.status_code, answer.json["error"]["message"]) == _denied("package_update")
    assert _now(mine).title == mine["title"]
    assert api(*patch, mint(city.edda, alone, f"ds:{ref(city.transport, city.stops)}:update")).status_code == 200
    name = city.edda["name"]
    assert plugin.seen == ((name, name, name, city.stops["id"]),) * 2
    plugin.other = None


def test_a_plugin_does_nothing_of_ours_that_no_scope_allows(city, api, mint, mine, load):
    plugin = load(Meddler)
    plugin.other, plugin.tag = None, "v2"
    for user in (city.edda, city.boss):
        answer = api("package_patch", {"id": mine["id"], "title": "New"}, mint(user, f"ds:{mine['id']}:update"))
        assert (answer.status_code, answer.json["error"]["message"]) == _denied("dataset_tag_create")
    plugin.tag = ""
    assert _now(mine).title == mine["title"]
