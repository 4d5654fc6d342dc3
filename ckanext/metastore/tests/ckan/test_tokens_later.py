"""What has changed since a token was made: names, organizations, datasets, and what its subject may."""

from __future__ import annotations

import time

import pytest
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
def in_zone():
    """Let the server be in another time zone."""

    def move(zone):
        patch.setenv("TZ", zone)
        time.tzset()

    with pytest.MonkeyPatch.context() as patch:
        yield move
    time.tzset()


def test_what_was_renamed_or_moved_is_not_what_was_meant(city, api, mint, mine):
    by_name = mint(city.edda, f"ds:{ref(city.parks, mine)}:read")
    by_id = mint(city.edda, f"ds:{ref(city.parks, mine, 'id')}:read")
    alone = mint(city.edda, f"ds:{mine['id']}:read")
    of_all = mint(city.edda, f"ds:{city.parks['name']}/*:read")

    def opened():
        return [api("package_show", {"id": mine["id"]}, each).status_code for each in (by_name, by_id, alone, of_all)]

    assert opened() == [200, 200, 200, 200]
    city.call("package_patch", id=mine["id"], name=f"{mine['name']}-2")
    assert opened() == [403, 200, 200, 200]
    city.call("package_patch", id=mine["id"], name=mine["name"], owner_org=city.transport["id"])
    assert opened() == [403, 403, 200, 403]


@pytest.mark.parametrize("also", [{}, {"iat": None}])
def test_what_was_made_again_is_not_what_was_meant(city, api, mint, mine, also):
    if also:
        time.sleep(1)  # without iat a token tells the second only
    bearers = [mint(city.edda, f"ds:{place}:read", **also) for place in (ref(city.parks, mine), mine["name"])]
    if also:
        time.sleep(1)
    assert [api("package_show", {"id": mine["name"]}, each).status_code for each in bearers] == [200, 200]
    city.call("dataset_purge", id=mine["id"])
    city.call("package_create", name=mine["name"], owner_org=city.parks["id"])
    assert [api("package_show", {"id": mine["name"]}, each).status_code for each in bearers] == [403, 403]


def test_an_organization_that_was_made_again(in_zone, city, api, mint):
    """Wherever the server is: of organizations CKAN keeps the local time."""
    for zone in ("America/New_York", "Asia/Tokyo"):
        in_zone(zone)
        old = factories.Organization()
        fresh = mint(city.boss, f"ds:{old['name']}/:create")
        params = {"owner_org": old["name"], "name": factories.Dataset.stub().name}
        assert api("package_create", params, fresh).status_code == 200, zone
        city.call("dataset_purge", id=params["name"])
        city.call("organization_purge", id=old["id"])
        factories.Organization(name=old["name"])
        assert api("package_create", params, fresh).status_code == 403, zone


def test_who_may_no_more(city, api, mint, mine):
    user = factories.User()
    for name in (city.parks["name"],):
        city.call("organization_member_create", id=name, username=user["name"], role="editor")
    bring = mint(user, f"ds:{ref(city.parks, mine)}:update")
    patch = ("package_patch", {"id": mine["id"], "title": "New"}, bring)
    assert api(*patch).status_code == 200
    city.call("organization_member_create", id=city.parks["name"], username=user["name"], role="member")
    assert api(*patch).status_code == 403
    city.call("user_patch", id=user["id"], state="pending")
    assert api(*patch).status_code == 401
    city.call("user_patch", id=user["id"], state="active")
    assert api(*patch).status_code == 403
    city.call("user_delete", id=user["id"])
    assert api(*patch).status_code == 401
