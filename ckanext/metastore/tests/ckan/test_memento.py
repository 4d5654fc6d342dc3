"""A dataset's page as its own TimeGate, its TimeMap, and versions as mementos (RFC 7089)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from ckan.tests import factories
from werkzeug.http import http_date, parse_date, parse_options_header

from ckanext.metastore.tests.ckan.checks import sql

DAY = timedelta(days=1)
BEGIN = datetime(2024, 5, 3, 12, tzinfo=timezone.utc)


@pytest.fixture
def history(dataset, act):
    """Three public versions, of 3, 5 and 7 May 2024, and between them a private one of 6 May."""
    saved = [dataset["revision_id"]]
    for private, message in ((False, "Second"), (True, "Not for you"), (False, "Fourth")):
        answer = act("package_patch", id=dataset["id"], private=private, version=message, revision_message=message)
        saved.append(answer["revision_id"])
    for sha, day in zip(saved, (0, 2, 3, 4), strict=True):
        sql("UPDATE metastore_revision SET timestamp = :at WHERE sha = :sha", at=_at(day).timestamp(), sha=sha)
    return saved


def _at(day):
    return BEGIN + day * DAY


def _page(dataset):
    return f"/dataset/{dataset['name']}"


@pytest.fixture
def get(app):
    """Ask as a user, or as nobody, perhaps for a time; no redirect is followed."""

    def ask(path, user=None, *, when=None):
        headers = {"Authorization": factories.APIToken(user=user["name"])["token"]} if user else {}
        if when:
            headers["Accept-Datetime"] = when if isinstance(when, str) else http_date(when)
        return app.get(path, headers=headers, follow_redirects=False)

    return ask


def _read(text):
    """The links of a Link header, or of a TimeMap: relation -> [(address, parameters)]."""
    links: dict[str, list] = {}
    for one in text.replace(",\n", ", <").replace(", <<", ", <").split(", <"):
        address, parameters = parse_options_header(one.lstrip("<"))
        for relation in parameters["rel"].split():
            links.setdefault(relation, []).append((address.rstrip(">"), parameters))
    return links


def _address(links, relation):
    ((address, _),) = links[relation]
    return address


def test_a_dataset_s_page_says_where_its_versions_are(dataset, history, get, app):
    answer = get(_page(dataset))
    links = _read(answer.headers["Link"])
    assert _address(links, "original") == _address(links, "timegate")
    assert _address(links, "original").endswith(_page(dataset))
    assert _address(links, "last").endswith(history[3])
    assert "Accept-Datetime" in answer.vary
    for relation in ("timemap", "version-history", "alternate", "memento"):
        assert app.get(_address(links, relation)).status_code == 200
    assert "Memento-Datetime" not in answer.headers


def test_the_version_of_a_time(dataset, history, get):
    for day, version in ((-400_000, 0), (-1, 0), (0, 0), (1.9, 0), (2, 1), (3, 1), (3.5, 1), (4, 3), (9999, 3)):
        answer = get(_page(dataset), when=_at(day))
        assert answer.status_code == 302
        assert answer.location.endswith(f"{_page(dataset)}/version/{history[version]}")
        assert "Accept-Datetime" in answer.vary
        assert _address(_read(answer.headers["Link"]), "memento") == answer.location


def test_where_it_leads_is_a_memento(dataset, history, get):
    memento = get(get(_page(dataset), when=_at(3)).location)
    assert memento.status_code == 200
    assert parse_date(memento.headers["Memento-Datetime"]) == _at(2)


def test_an_editor_finds_what_was_private(dataset, history, get, editor, reader):
    for user, version in ((editor, 2), (reader, 1), (None, 1)):
        answer = get(_page(dataset), user, when=_at(3))
        assert answer.location.endswith(history[version])
    assert get(_page(dataset), editor, when=_at(3)).cache_control.private


def test_a_private_dataset_says_nothing(dataset, history, act, get, editor, reader):
    act("package_patch", id=dataset["id"], private=True)
    for user in (None, reader):
        plain = get(_page(dataset), user)
        asked = get(_page(dataset), user, when=_at(0))
        assert (plain.status_code, asked.status_code) == (404, 404)
        assert "Link" not in plain.headers
        assert "Link" not in asked.headers
        assert get(f"{_page(dataset)}/versions/timemap", user).status_code == 404
    assert get(_page(dataset), editor, when=_at(0)).location.endswith(history[0])


def test_what_is_no_time(dataset, get):
    for wrong in ("yesterday", "2024-05-03T12:00:00Z", ""):
        assert get(_page(dataset), when=wrong or " ").status_code == 400


def test_no_such_dataset(portal, get):
    assert get("/dataset/no-such-dataset", when=BEGIN).status_code == 404


def test_a_dataset_without_a_history(before, get, act):
    (dataset_id,) = before()
    name = act("package_show", id=dataset_id)["name"]
    for when in (None, BEGIN):
        answer = get(f"/dataset/{name}", when=when)
        assert answer.status_code == 200
        assert "Link" not in answer.headers


def test_other_pages_are_left_alone(dataset, organization, get):
    for path in (f"/organization/{organization['name']}", "/about", f"{_page(dataset)}/versions", "/no-such-page"):
        assert "Link" not in get(path, when=BEGIN).headers


def test_an_old_version_is_a_memento(dataset, history, act, get, app):
    act("dataset_tag_create", id=dataset["id"], name="v1", revision_ref=history[1])
    for ref in (history[1], history[1][:9], "v1"):
        answer = get(f"{_page(dataset)}/version/{ref}")
        assert parse_date(answer.headers["Memento-Datetime"]) == _at(2)
        links = _read(answer.headers["Link"])
        assert _address(links, "original").endswith(_page(dataset))
        assert _address(links, "latest-version") == _address(links, "original") == _address(links, "timegate")
        assert _address(links, "predecessor-version").endswith(history[0])
    assert "predecessor-version" not in _read(get(f"{_page(dataset)}/version/{history[0]}").headers["Link"])


def test_after_what_was_private_comes_what_was_public(dataset, history, get):
    links = _read(get(f"{_page(dataset)}/version/{history[3]}").headers["Link"])
    assert _address(links, "predecessor-version").endswith(history[1])


@pytest.fixture
def resource(dataset, history, act):
    """The address of the dataset's first resource; a second one has come with a version of 9 May."""
    resources = [*dataset["resources"], {"name": "Felled trees"}]
    sha = act("package_patch", id=dataset["id"], resources=resources)["revision_id"]
    sql("UPDATE metastore_revision SET timestamp = :at WHERE sha = :sha", at=_at(6).timestamp(), sha=sha)
    return f"{_page(dataset)}/resource/{dataset['resources'][0]['id']}"


def test_a_resource_s_page_leads_to_its_version_of_a_time(dataset, history, resource, get, act):
    links = _read(get(resource).headers["Link"])
    assert _address(links, "original") == _address(links, "timegate")
    assert _address(links, "original").endswith(resource)
    assert "/version/" in _address(links, "last")
    for day, version in ((-1, 0), (2.5, 1), (5, 3)):
        answer = get(resource, when=_at(day))
        assert answer.status_code == 302
        assert answer.location.endswith(resource.replace("/resource/", f"/version/{history[version]}/resource/"))
        assert "Accept-Datetime" in answer.vary
    memento = get(answer.location)
    assert parse_date(memento.headers["Memento-Datetime"]) == _at(4)
    assert _address(_read(memento.headers["Link"]), "original").endswith(resource)
    assert get(resource, when="yesterday").status_code == 400


def test_a_resource_that_was_not_there(dataset, history, resource, get, act):
    *_, new = act("package_show", id=dataset["id"])["resources"]
    address = f"{_page(dataset)}/resource/{new['id']}"
    assert get(address, when=_at(3)).status_code == 404
    assert get(get(address, when=_at(7)).location).status_code == 200


def test_the_head_is_no_memento(dataset, get):
    answer = get(f"{_page(dataset)}/version/HEAD")
    assert "Memento-Datetime" not in answer.headers
    assert "timegate" in _read(answer.headers["Link"])


def test_a_timemap_lists_all_versions(dataset, history, act, get, editor):
    answer = get(f"{_page(dataset)}/versions/timemap")
    assert answer.mimetype == "application/link-format"
    links = _read(answer.text.strip())
    shown = [(address.rsplit("/")[-1], parse_date(more["datetime"])) for address, more in links["memento"]]
    assert shown == [(history[0], _at(0)), (history[1], _at(2)), (history[3], _at(4))]
    assert _address(links, "first").endswith(history[0])
    assert _address(links, "last").endswith(history[3])
    ((itself, more),) = links["self"]
    assert itself.endswith(f"{_page(dataset)}/versions/timemap")
    assert (parse_date(more["from"]), parse_date(more["until"])) == (_at(0), _at(4))
    everything = _read(get(f"{_page(dataset)}/versions/timemap", editor).text.strip())
    assert [address.rsplit("/")[-1] for address, _ in everything["memento"]] == history


def test_a_timemap_of_one(dataset, get):
    links = _read(get(f"{_page(dataset)}/versions/timemap").text.strip())
    assert _address(links, "first") == _address(links, "last") == _address(links, "memento")


def test_a_long_history_has_several_timemaps(dataset, history, get, monkeypatch):
    monkeypatch.setattr("ckanext.metastore.views.memento.PAGE_SIZE", 2)
    pages = [_read(get(f"{_page(dataset)}/versions/timemap").text.strip())]
    while "next" in pages[-1]:
        pages.append(_read(get(_address(pages[-1], "next")).text.strip()))
    assert [len(page["memento"]) for page in pages] == [2, 1]
    assert ("first" in pages[0], "last" in pages[0]) == (True, False)
    assert ("first" in pages[1], "last" in pages[1]) == (False, True)
    assert [address for address, _ in pages[1]["prev"]] == [_address(pages[0], "self")]
