"""Atom feeds, read by a feed reader and held against RFC 4287."""

from __future__ import annotations

import re
from uuid import UUID

import feedparser
import pytest
from ckan.tests import factories, helpers
from lxml import etree

ATOM = "{http://www.w3.org/2005/Atom}"
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_ODD = "Trees & <shrubs> \u0001of the Altstadt – 木"


@pytest.fixture
def read(app):
    """Fetch a feed and parse it; whatever it is, it must be a valid one."""

    def fetch(path, user=None, **query):
        answer = app.get(path, query_string=query or None, headers=_token(user))
        assert answer.status_code == 200
        assert answer.content_type == "application/atom+xml"
        _validate(answer.data)
        feed = feedparser.parse(answer.data)
        assert not feed.bozo
        return feed

    return fetch


def _token(user):
    return {"Authorization": factories.APIToken(user=user["name"])["token"]} if user else {}


def _validate(data):
    """The rules of RFC 4287, sections 4.1.1, 4.1.2, 4.2.6 and 3.3, that a feed of ours could break."""
    root = etree.fromstring(data)
    entries = root.findall(f"{ATOM}entry")
    assert root.tag == f"{ATOM}feed"
    for element in (root, *entries):
        for name in ("id", "title", "updated"):
            assert len(element.findall(ATOM + name)) == 1, name
        assert UUID(element.find(f"{ATOM}id").text.removeprefix("urn:uuid:"))
        assert element.find(f"{ATOM}title").text
        assert (
            len([link for link in element.findall(f"{ATOM}link") if link.get("rel", "alternate") == "alternate"]) == 1
        )
        assert all(link.get("href").startswith("http://") for link in element.findall(f"{ATOM}link"))
        assert all(author.find(f"{ATOM}name").text for author in element.findall(f"{ATOM}author"))
        for name in ("updated", "published"):
            assert all(RFC_3339.fullmatch(time.text) for time in element.findall(ATOM + name))
    ids = [entry.find(f"{ATOM}id").text for entry in entries]
    assert len(ids) == len(set(ids))
    assert root.find(f"{ATOM}author") is not None
    assert len(root.findall(f"{ATOM}link[@rel='self']")) == 1
    updated = [entry.find(f"{ATOM}updated").text for entry in entries]
    assert not entries or root.find(f"{ATOM}updated").text == max(updated)


def _links(feed):
    return {link.rel: link.href for link in feed.feed.links}


def _path(dataset):
    return f"/dataset/{dataset['name']}/versions.atom"


def test_a_dataset_s_versions_newest_first(dataset, act, read, app):
    saved = act("package_patch", id=dataset["id"], title=_ODD, revision_message="Second survey\n\nWith the shrubs")
    act("dataset_tag_create", id=dataset["id"], name="v1", revision_ref=dataset["revision_id"])
    act("dataset_tag_create", id=dataset["id"], name="2024-é", revision_ref=dataset["revision_id"])
    feed = read(_path(dataset))
    assert feed.feed.title == "Versions of Trees & <shrubs> of the Altstadt – 木"
    assert _links(feed)["alternate"].endswith(f"/dataset/{dataset['name']}/versions")
    second, first = feed.entries
    assert (second.title, second.author) == ("Second survey", "Edda Ito")
    assert second.summary == "Second survey\n\nWith the shrubs\n\nTitle changed"
    assert first.summary == "First survey\n\nFirst version recorded"
    assert first.title == "2024-é, v1 – First survey"
    assert [tag.term for tag in first.tags] == ["2024-é", "v1"]
    for entry, revision_id in ((second, saved["revision_id"]), (first, dataset["revision_id"])):
        assert revision_id in entry.link
        assert app.get(entry.link).status_code == 200


def test_what_gets_a_name_is_updated(dataset, act, read):
    def entry():
        (only,) = read(_path(dataset)).entries
        return only

    before = entry()
    assert before.updated == before.published
    tag = act("dataset_tag_create", id=dataset["id"], name="v1")
    after = entry()
    assert (after.id, after.published, after.updated) == (before.id, before.published, tag["timestamp"])


def test_a_feed_keeps_its_ids(dataset, act, read):
    before = read(_path(dataset))
    renamed = act("package_patch", id=dataset["id"], name=f"{dataset['name']}-renamed")
    after = read(_path(renamed))
    assert after.feed.id == before.feed.id
    assert after.entries[1].id == before.entries[0].id
    assert read(f"/dataset/{dataset['id']}/versions.atom").entries[0].id == after.entries[0].id


def test_pages(dataset, act, read, app, ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, "ckan.feeds.limit", 2)
    for number in range(4):
        act("package_patch", id=dataset["id"], version=str(number), revision_message=str(number))
    pages, address = [], _path(dataset)
    while address:
        pages.append(read(address))
        address = _links(pages[-1]).get("next")
    titles = [[entry.title for entry in page.entries] for page in pages]
    assert titles == [["3", "2"], ["1", "0"], ["First survey"]]
    assert _links(pages[1])["previous"] == _links(pages[0])["self"] == _links(pages[2])["first"]
    assert {page.feed.id for page in pages} == {pages[0].feed.id}
    assert read(_path(dataset), page=9).entries == []
    for wrong in ("0", "x", str(10**12)):
        assert app.get(_path(dataset), query_string={"page": wrong}).status_code == 400


def test_a_feed_as_long_as_an_action_gives(dataset, act, read, ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, "ckan.feeds.limit", 1000)
    assert len(read(_path(dataset)).entries) == 1


def test_what_is_private_is_for_editors(dataset, act, read, app, editor, reader):
    act("package_patch", id=dataset["id"], private=True, revision_message="Not for you")
    for user in (None, reader):
        assert app.get(_path(dataset), headers=_token(user)).status_code == 404
    assert len(read(_path(dataset), editor).entries) == 2
    act("package_patch", id=dataset["id"], private=False, revision_message="Here again")
    for user in (None, reader):
        assert [entry.title for entry in read(_path(dataset), user).entries] == ["Here again", "First survey"]
        # What changed since the version before it that this reader may see.
        assert read(_path(dataset), user).entries[0].summary == "Here again\n\nNothing changed"
    titles = [entry.title for entry in read(_path(dataset), editor).entries]
    assert titles == ["Here again", "Not for you", "First survey"]


def test_no_such_dataset(portal, app):
    assert app.get("/dataset/no-such-dataset/versions.atom").status_code == 404


def test_a_dataset_without_a_history(before, read):
    (dataset_id,) = before()
    feed = read(f"/dataset/{dataset_id}/versions.atom")
    assert feed.entries == []
    assert feed.feed.updated == "1970-01-01T00:00:00+00:00"


def test_what_has_not_changed_is_not_sent_again(dataset, act, app):
    for path in (_path(dataset), "/feeds/versions.atom"):
        tag = {"If-None-Match": app.get(path).headers["ETag"]}
        again = app.get(path, headers=tag)
        assert (again.status_code, again.data) == (304, b"")
        act("package_patch", id=dataset["id"], notes=f"{path} is old", revision_message="New")
        assert app.get(path, headers=tag).status_code == 200


def test_caches(dataset, app, editor, ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, "ckan.cache_enabled", True)
    paths = (_path(dataset), "/feeds/versions.atom")
    for path in paths:
        answer = app.get(path)
        assert answer.cache_control.public
        assert "Cookie" in answer.vary
        assert app.get(path, headers=_token(editor)).cache_control.private
    monkeypatch.setitem(ckan_config, "ckan.cache_enabled", False)
    assert all(app.get(path).cache_control.private for path in paths)


def test_the_site_s_newest_versions(dataset, act, read, organization):
    other = act("package_create", name=factories.Dataset.stub().name, owner_org=organization["id"], title="Wells")
    act("package_patch", id=dataset["id"], version="2", revision_message="Trees again")
    act("dataset_tag_create", id=dataset["id"], name="v2")
    mine = [entry for entry in read("/feeds/versions.atom").entries if _about(entry, dataset, other)]
    of_dataset = read(_path(dataset)).entries
    assert [entry.title for entry in mine if dataset["name"] in entry.link] == [
        "Street trees: v2 – Trees again",
        "Street trees: First survey",
    ]
    assert [entry.id for entry in mine if dataset["name"] in entry.link] == [entry.id for entry in of_dataset]
    assert [entry.updated for entry in mine if dataset["name"] in entry.link] == [entry.updated for entry in of_dataset]
    assert [entry.summary for entry in mine if dataset["name"] in entry.link] == [
        "Trees again\n\nVersion changed",
        "First survey\n\nFirst version recorded",
    ]
    assert [entry.title[:6] for entry in mine if other["name"] in entry.link] == ["Wells:"]
    times = [entry.published for entry in read("/feeds/versions.atom").entries]
    assert times == sorted(times, reverse=True)


def _about(entry, *datasets):
    return any(f"/dataset/{dataset['name']}/" in entry.link for dataset in datasets)


def test_the_site_s_feed_is_the_same_for_all(dataset, act, read, app, editor, organization):
    hidden = act("package_create", name=factories.Dataset.stub().name, owner_org=organization["id"], private=True)
    act("package_patch", id=dataset["id"], private=True, revision_message="Not for you")
    sysadmin = factories.Sysadmin()
    for user in (None, editor, sysadmin):
        assert not [entry for entry in read("/feeds/versions.atom", user).entries if _about(entry, hidden, dataset)]
    act("package_patch", id=dataset["id"], private=False, revision_message="Here again")
    act("package_delete", id=hidden["id"])
    for user in (None, editor, sysadmin):
        mine = [entry.title for entry in read("/feeds/versions.atom", user).entries if _about(entry, hidden, dataset)]
        assert mine == ["Street trees: Here again", "Street trees: First survey"]


def test_the_site_s_feed_in_another_language(dataset, read):
    assert read("/de/feeds/versions.atom").feed.language == "de"
    assert read("/de/feeds/versions.atom").feed.id == read("/feeds/versions.atom").feed.id


def test_the_action_lists_as_many_as_are_asked_for(dataset, act, organization):
    act("package_patch", id=dataset["id"], version="2")
    new = act("package_create", name=factories.Dataset.stub().name, owner_org=organization["id"])
    anybody = {"ignore_auth": False, "user": ""}
    assert len(helpers.call_action("site_revision_list", anybody, limit=2)) == 2
    listed = helpers.call_action("site_revision_list", anybody, limit=100)
    ids = [one["dataset"]["id"] for one in listed]
    assert (ids.count(new["id"]), ids.count(dataset["id"])) == (1, 2)
    assert listed[0]["dataset"].keys() == {"id", "name", "title", "type"}


def test_pages_lead_to_their_feeds(dataset, act, app, read):
    act("package_patch", id=dataset["id"], title='Trees "<&>"')
    pages = (f"/dataset/{dataset['name']}", f"/dataset/{dataset['name']}/versions")
    for page, feed in (
        (pages[0], _path(dataset)),
        (pages[1], _path(dataset)),
        ("/dataset/?q=nothing-at-all", "/feeds/versions.atom"),
    ):
        links = etree.HTML(app.get(page).text).findall(".//link[@type='application/atom+xml']")
        (ours,) = [link for link in links if link.get("href") == feed]
        assert ours.get("title") == read(feed).feed.title
