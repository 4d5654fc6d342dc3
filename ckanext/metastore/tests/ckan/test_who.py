"""Who made a version, as its row in the list shows it: a picture, a robot's badge, or initials."""

from __future__ import annotations

import re

import pytest
from ckan.tests import factories, helpers


@pytest.fixture
def badges(app, dataset):
    """The badges of the rows, newest first: ``picture``, ``robot`` or the initials."""

    def read():
        html = app.get(f"/dataset/{dataset['name']}/versions").text
        found = re.findall(r'<span class="metastore-avatar ?([\w-]*)"[^>]*>(.*?)</span>', html, re.DOTALL)
        # The current version's stands once more above the list.
        return [kind.removeprefix("metastore-") or text.strip() for kind, text in found[1:]], html

    return read


def test_nobody_elsewhere_is_asked_for_a_picture(editor, badges, ckan_config, monkeypatch):
    helpers.call_action("user_patch", id=editor["id"], image_url="")
    monkeypatch.setitem(ckan_config, "ckan.gravatar_default", "identicon")
    shown, html = badges()
    assert shown == ["EI"]
    assert "gravatar" not in html


def test_one_s_own_picture(dataset, editor, badges):
    helpers.call_action("user_patch", id=editor["id"], image_url="https://example.org/edda.png")
    shown, html = badges()
    assert shown == ["picture"]
    assert 'src="https://example.org/edda.png"' in html


def test_who_has_no_account_any_more_has_initials(dataset, editor, badges, app):
    helpers.call_action("user_delete", id=editor["id"])
    shown, html = badges()
    assert shown == ["EI"]
    assert "no account any more" in html
    assert "no account any more" in app.get(f"/dataset/{dataset['name']}/version/HEAD").text


def test_a_pseudonym_has_no_picture(dataset, act, editor, badges, ckan_config, monkeypatch):
    helpers.call_action("user_patch", id=editor["id"], image_url="https://example.org/edda.png")
    monkeypatch.setitem(ckan_config, "ckanext.metastore.author", "pseudonym")
    act("package_patch", id=dataset["id"], title="Trees")
    assert badges()[0] == ["E", "picture"]
    monkeypatch.setitem(ckan_config, "ckanext.metastore.author", "masked")
    assert badges()[0] == ["E", "picture"]
    # Nor is told that whoever is behind it has left.
    helpers.call_action("user_delete", id=editor["id"])
    shown, html = badges()
    assert (shown, html.count("no account any more")) == (["E", "EI"], 1)


def test_robots(dataset, act, badges, ckan_config, monkeypatch):
    harvester = factories.Sysadmin()["name"]
    monkeypatch.setitem(ckan_config, "ckanext.harvest.user_name", harvester)
    act("package_patch", user=harvester, id=dataset["id"], title="Harvested")
    site = helpers.call_action("get_site_user", {"ignore_auth": True}, defer_commit=False)["name"]
    act("package_patch", user=site, id=dataset["id"], title="By a script")
    helpers.call_action("package_patch", {"user": "", "ignore_auth": True}, id=dataset["id"], title="By nobody")
    shown, html = badges()
    assert shown == ["robot", "robot", "robot", "picture"]
    assert html.count('role="img" aria-label="automatic"') == 4


def test_the_action_tells_of_accounts(dataset, act, editor, ckan_config, monkeypatch):
    def told():
        (newest, *_) = act("dataset_revision_list", id=dataset["id"], details=True)
        return newest["origin"], newest["user"]

    assert told() == ("user", editor["name"])
    monkeypatch.setitem(ckan_config, "ckanext.metastore.author", "pseudonym")
    act("package_patch", id=dataset["id"], title="Trees")
    assert told() == ("user", None)
