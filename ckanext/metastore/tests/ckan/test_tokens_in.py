"""Tokens in: which operation each action is, what a scope opens, and what refusals tell."""

from __future__ import annotations

from typing import Any

import pytest
from ckan.tests import factories

from ckanext.metastore.logic.action import actions
from ckanext.metastore.logic.operations import OPERATIONS
from ckanext.metastore.tests.ckan.city import ref

RESOURCE = {"url": "https://example.org/new.csv"}
CALLS: dict[str, dict[str, Any]] = {
    "package_show": {},
    "resource_show": {},
    "dataset_history_show": {},
    "dataset_revision_list": {},
    "dataset_revision_show": {"revision_ref": "HEAD"},
    "revision_diff": {"revision_ref_a": "HEAD"},
    "dataset_tag_list": {},
    "dataset_tag_show": {"tag": "v1"},
    "package_create": {},
    "package_update": {"title": "New"},
    "package_patch": {"title": "New"},
    "package_revise": {"update": {"title": "New"}},
    "package_resource_reorder": {"order": []},
    "package_owner_org_update": {},
    "resource_create": RESOURCE,
    "resource_update": RESOURCE,
    "resource_patch": RESOURCE,
    "resource_delete": {},
    "dataset_publish": {},
    "dataset_tag_create": {"name": "v2"},
    "dataset_tag_update": {"tag": "v1", "description": "First"},
    "dataset_tag_delete": {"tag": "v1"},
    "dataset_revert": {"to_revision_ref": "v1"},
    "package_delete": {},
    "dataset_purge": {},
}
"""Action -> its parameters, beside those that name the dataset."""

NEEDS: dict[str | None, str] = {"show": "read"}
"""Operation -> action of a scope, where that has another name."""

ALL = "read,update,create,tag,revert,delete,purge"
NEVER = sorted(action for action, operation in OPERATIONS.items() if operation is None)
READS = sorted(action for action in CALLS if OPERATIONS[action] == "show")
ON_RESOURCES = {"resource_show", "resource_update", "resource_patch", "resource_delete"}


@pytest.fixture(scope="module")
def repositories(tmp_path_factory):
    return tmp_path_factory.mktemp("repositories")


def _call(action, organization, dataset, by="name"):
    """The parameters of a call that is about this dataset."""
    if action == "package_create":
        naming = {"owner_org": organization[by], "name": factories.Dataset.stub().name}
    elif action in ON_RESOURCES:
        naming = {"id": dataset["resources"][0]["id"]}
    elif action == "resource_create":
        naming = {"package_id": dataset[by]}
    elif action == "package_revise":
        naming = {"match": {by: dataset[by]}}
    elif action == "package_owner_org_update":
        naming = {"id": dataset[by], "organization_id": organization["id"]}
    else:
        naming = {"id": dataset[by]}
    return {**CALLS[action], **naming}


def _place(action, organization, dataset, by="name"):
    return f"{organization[by]}/" if action == "package_create" else ref(organization, dataset, by)


def _need(action):
    return NEEDS.get(OPERATIONS[action], OPERATIONS[action])


def test_the_tables_are_complete(portal):
    assert set(actions()) == set(OPERATIONS) == {*CALLS, *NEVER}


@pytest.mark.parametrize("by", ["name", "id"])
def test_the_right_scope_opens_it(city, api, mint, by):
    for action in CALLS:
        dataset = city.trees if action in READS else city.dataset(city.parks)
        user = city.boss if action in {"dataset_purge", "package_owner_org_update"} else city.edda
        bring = mint(user, f"ds:{_place(action, city.parks, dataset, by)}:{_need(action)}")
        answer = api(action, _call(action, city.parks, dataset, by), bring)
        assert answer.status_code == 200, (action, answer.json)
        assert answer.cache_control.private
        assert not answer.cache_control.public


def test_no_other_scope_opens_it(city, api, mint):
    for action in CALLS:
        call, others = _call(action, city.parks, city.trees), _others(city, action)
        assert {_refusal(api(action, call, mint(user, *others))) for user in (city.edda, city.boss)} == _told(action)
    for action in ("package_show", "package_create", "package_patch", "dataset_tag_create"):
        for scope in _others(city, action):
            answer = api(action, _call(action, city.parks, city.trees), mint(city.edda, scope))
            assert answer.status_code == 403, scope
    assert city.call("package_show", id=city.trees["id"])["revision_id"] == city.trees["revision_id"]


def _others(city, action):
    """All that could be taken for the right scope."""
    need, name = _need(action), city.trees["name"]
    place, organization, other = _place(action, city.parks, city.trees), city.parks["name"], city.transport["name"]
    besides = ",".join(action for action in ALL.split(",") if action != need)
    collection = f"{organization}/*" if action == "package_create" else f"{organization}/"
    refs = [
        f"{other}/{name}",
        f"{other}/*",
        f"{other}/",
        ref(city.transport, city.stops),
        collection,
        organization,
        f"*/{name}",
        "*",
        "*/*",
        "*/",
        f"{organization}/{name}/*",
        f"{name}/",
    ]
    return [
        f"ds:{place}:{besides}",
        f"ds:{place}:data:{need}",
        f"org:{organization}:{ALL}",
        f"obj:{organization}/{name}/*:read,write",
        f"res:{organization}/{name}/*:{ALL}",
        *(f"ds:{wrong}:{ALL}" for wrong in refs),
    ]


def _told(action):
    return {(403, f"Access denied: This token does not allow {action} here")}


def _refusal(answer):
    return answer.status_code, answer.json["error"]["message"]


def test_a_refusal_does_not_tell_whether_there_is_such_a_dataset(city, api, mint):
    nothing = {"id": "00000000-no-such", "name": "no-such", "resources": [{"id": "no-such-resource"}]}
    places = [(city.parks, city.hidden), (city.parks, city.gone), (city.museum, city.vault), (nothing, nothing)]
    for action in CALLS:
        said = set()
        for organization, dataset in places:
            scopes = [f"ds:{ref(city.transport, city.stops)}:{ALL}"]
            # Whether there is an organization is no secret: CKAN itself refuses to create something there.
            if action != "package_create":
                scopes.append(f"ds:{ref(organization, dataset)}:{_need(action)}")
            call = _call(action, organization, dataset)
            said |= {_refusal(api(action, call, mint(user, *scopes))) for user in (city.rita, None)}
        assert said == _told(action)


def test_reads_by_get(city, api, mint):
    place = ref(city.parks, city.trees)
    table = [
        (city.edda, f"ds:{place}:read", 200),
        (city.mona, f"ds:{place}:metadata:read", 200),
        (city.mona, f"ds:{city.parks['id']}/*:read", 200),
        (None, f"ds:{city.trees['id']}:read", 200),
        (city.mona, f"ds:{place}:tag", 403),
        (None, f"ds:{city.parks['id']}/:read", 403),
    ]
    for action in READS:
        for user, scope, status in table:
            answer = api(action, _call(action, city.parks, city.trees), mint(user, scope), get=True)
            assert answer.status_code == status, (action, scope, answer.json)
            assert answer.cache_control.private


def test_what_is_private_is_for_members(city, api, mint):
    scope = f"ds:{ref(city.parks, city.hidden)}:read"
    for action in READS:
        call = _call(action, city.parks, city.hidden)
        for user, status in [(city.edda, 200), (city.boss, 200), (city.rita, 403), (None, 403)]:
            assert api(action, call, mint(user, scope)).status_code == status, action
    for user, status in [(city.mona, 200), (city.rita, 403)]:
        assert api("package_show", {"id": city.hidden["id"]}, mint(user, scope)).status_code == status


def test_all_of_an_organization(city, api, mint):
    made = city.dataset(city.parks)
    bring = mint(city.edda, f"ds:{city.parks['name']}/*:update,tag")
    assert api("package_patch", {"id": made["id"], "title": "New"}, bring).status_code == 200
    assert api("dataset_tag_create", {"id": made["id"], "name": "v2"}, bring).status_code == 200
    assert api("package_patch", {"id": city.stops["id"], "title": "New"}, bring).status_code == 403
    assert api("package_delete", {"id": made["id"]}, bring).status_code == 403


def test_nobody_in_particular_reads_what_is_public(city, api, mint):
    bring = mint(None, f"ds:{ref(city.parks, city.trees)}:read,update,tag")
    assert api("package_show", {"id": city.trees["id"]}, bring).status_code == 200
    assert api("package_patch", {"id": city.trees["id"], "title": "New"}, bring).status_code == 403
    assert api("dataset_tag_create", {"id": city.trees["id"], "name": "v9"}, bring).status_code == 403


def test_what_is_about_many_datasets_needs_more_than_a_token(city, api, mint):
    refs = [f"{city.parks[by]}{end}" for by in ("id", "name") for end in ("", "/*", "/")]
    scopes = [f"{kind}:{place}:{ALL}" for kind in ("ds", "org") for place in refs]
    call = {
        "id": city.parks["id"],
        "org_id": city.parks["id"],
        "datasets": [city.trees["id"]],
        "object": city.trees["id"],
        "object_type": "package",
        "capacity": "public",
        "name": "new-group",
    }
    for action in NEVER:
        assert {_refusal(api(action, call, mint(user, *scopes))) for user in (city.boss, city.ada)} == _told(action)


def test_who_acts_is_the_author(city, api, mint, git):
    made = city.dataset(city.parks)
    bring = mint(city.edda, f"ds:{ref(city.parks, made)}:update,tag")
    api.log_in(city.boss)
    assert api("package_patch", {"id": made["id"], "title": "New"}, bring).status_code == 200
    assert api("dataset_tag_create", {"id": made["id"], "name": "v2"}, bring).status_code == 200
    assert git(made["id"])("log", "-1", "--format=%an") == city.edda["fullname"]
    assert git(made["id"])("for-each-ref", "--format=%(taggername)", "refs/tags/v2") == city.edda["fullname"]


def test_what_was_private_is_for_who_may_update(city, api, mint):
    made = city.dataset(city.parks, private=True)
    city.call("package_patch", id=made["id"], private=False)
    seen = {}
    for user in (city.edda, city.mona, None):
        bring = mint(user, f"ds:{ref(city.parks, made)}:read")
        seen[user and user["name"]] = len(api("dataset_revision_list", {"id": made["id"]}, bring).json["result"])
        old = api("package_show", {"id": made["id"], "revision_ref": made["revision_id"]}, bring)
        assert old.status_code == (200 if user is city.edda else 404)
    assert seen == {city.edda["name"]: 2, city.mona["name"]: 1, None: 1}
