"""The pages of versions, as HTML: what they say, to whom, and what a hostile history does to them."""

from __future__ import annotations

import re
import time
from html import unescape
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import pytest
from ckan import model
from ckan.tests import factories, helpers
from werkzeug.datastructures import FileStorage

from ckanext.metastore import authors, config
from ckanext.metastore.core import Author
from ckanext.metastore.core.types import utc
from ckanext.metastore.model.ledger import Ledger
from ckanext.metastore.tests.ckan.city import SITE
from ckanext.metastore.tests.ckan.lengthening import append
from ckanext.metastore.tests.ckan.outage import outage


@pytest.fixture(scope="module")
def _apps():
    return []


@pytest.fixture
def app(portal, _apps, make_app):
    """One for all tests: another would read all templates anew."""
    if not _apps:
        _apps.append(make_app())
    return _apps[0]


@pytest.fixture
def token(editor):
    """The editor's."""
    return {"Authorization": factories.APIToken(user=editor["name"])["token"]}


@pytest.fixture
def page(app, dataset):
    """A page of the dataset's, its text without markup: ``page("versions")``."""

    def get(address, headers=None, status=200, dataset=dataset, language=""):
        answer = app.get(f"{language}/dataset/{dataset['name']}/{address}", headers=headers, status=status)
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())

    return get


def _html(app, dataset, address="", **params):
    return app.get(f"/dataset/{dataset['name']}{address}", **params).text


# -- the list ----------------------------------------------------------------------------------------------------------


def test_each_change_is_told_in_words(dataset, act, page):
    more = {"name": "Felled trees", "url": "https://example.org/felled.csv"}
    resources = act("package_show", id=dataset["id"])["resources"]
    act("package_patch", id=dataset["id"], title="Trees", resources=[*resources, more])
    fields = {"notes": "All.", "version": "2", "author": "Edda", "url": "https://example.org", "tags": []}
    act("package_patch", id=dataset["id"], extras=[{"key": "district", "value": "All"}], **fields)
    act("package_patch", id=dataset["id"], private=True, groups=[])
    act("package_patch", id=dataset["id"], resources=[])
    text = page("versions", {"Authorization": factories.APIToken(user=dataset["creator_user_id"])["token"]})
    for words in (
        "First version recorded",
        "Title changed; 1 resource added",
        "Description, Source, Version and 2 more fields changed; 1 tag removed",
        "Made private",
        "2 resources removed",
    ):
        assert words in text, words


def test_long_lists_have_pages(dataset, editor, app):
    append(dataset, map(str, range(44)), user=editor["name"])
    found = [_html(app, dataset, f"/versions?page={number}") for number in (1, 2, 3)]
    assert [len(re.findall(r'type="checkbox"', html)) for html in found] == [20, 20, 5]
    assert ['rel="prev"' in html for html in found] == [False, True, True]
    assert ['rel="next"' in html for html in found] == [True, True, False]
    assert ["Current version" in html for html in found] == [True, False, False]
    assert "Versions (45)" in found[0]
    assert "There are no more versions" in _html(app, dataset, "/versions?page=4")
    app.get(f"/dataset/{dataset['name']}/versions?page=none", status=400)


def test_a_burst_is_one_line(dataset, act, reader, editor, app):
    for number in range(4):
        act("package_patch", id=dataset["id"], title=f"Trees {number}")
    html = _html(app, dataset, "/versions")
    assert html.count('class="metastore-burst"') == 1
    assert "5 changes by Edda Ito" in html
    act("dataset_tag_create", id=dataset["id"], name="v1")
    html = _html(app, dataset, "/versions")
    assert "4 changes by Edda Ito" in html


def test_readers_are_not_told_what_was_private(dataset, act, page, token):
    sha = act("package_patch", id=dataset["id"], private=True, notes="Secret.")["revision_id"]
    act("package_patch", id=dataset["id"], private=False, notes="Every tree that the city waters.", title="Open")
    assert "Versions (2)" in page("versions")
    assert "Versions (3)" in page("versions", token)
    assert sha[:7] not in page("versions")
    assert sha[:7] in page("versions", token)
    for address in (f"version/{sha}", f"versions/compare?a={sha}", f"versions/compare?v={sha}&v={sha}"):
        page(address, status=404)
    assert "Secret." in page(f"version/{sha}", token)


def test_a_private_dataset_has_no_pages_for_others(dataset, act, page, token):
    act("package_patch", id=dataset["id"], private=True)
    for address in ("versions", "version/HEAD", "versions/compare?a=HEAD"):
        page(address, status=404)
        page(address, token)


def test_what_waits_is_told_and_why_only_to_editors(dataset, act, page, token, repositories):
    with outage(repositories):
        act("package_patch", id=dataset["id"], title="Trees")
        told, read = page("versions", token), page("versions")
    assert "Publishing failed" in told
    assert str(repositories) not in read
    assert "Publishing failed" not in read
    assert "Waiting to be published" in read
    act("dataset_publish", id=dataset["id"])
    assert "Waiting" not in page("versions", token)


def test_a_change_by_nobody_is_automatic(dataset, page):
    helpers.call_action("package_patch", {"user": "", "ignore_auth": True}, id=dataset["id"], title="Harvested")
    assert "automatic" in page("versions")


def test_a_dataset_without_history_has_no_tab(app, before):
    (dataset_id,) = before()
    html = app.get(f"/dataset/{dataset_id}").text
    assert '/versions"' not in html
    assert "No version of this dataset is recorded yet" in app.get(f"/dataset/{dataset_id}/versions").text


# -- compare -----------------------------------------------------------------------------------------------------------


def test_ticked_versions_are_compared_the_older_first(dataset, act, app):
    old = dataset["revision_id"]
    new = act("package_patch", id=dataset["id"], title="Trees")["revision_id"]
    address = f"/dataset/{dataset['name']}/versions/compare"

    def leads_to(query):
        return app.get(f"{address}?{query}", follow_redirects=False).headers["Location"].split("/versions")[1]

    # The form sends them in the order of the list: the newer first.
    assert leads_to(f"v={new}&v={old}") == f"/compare?a={old}&b={new}"
    assert leads_to(f"v={old}") == f"/compare?a={old}"
    assert leads_to("") == ""
    act("dataset_tag_create", id=dataset["id"], name="v1", revision_ref=old)
    # Under its name, which the list has first, and in its row.
    assert leads_to(f"v=v1&v={old}") == "/compare?a=v1"
    assert leads_to(f"v=v1&v={new}&v={old}") == f"/compare?a=v1&b={new}"
    newest = act("package_patch", id=dataset["id"], title="City trees")["revision_id"]
    assert leads_to(f"v={newest}&v={new}&v={old}") == ""
    assert leads_to("&".join(["v=v1"] * 7)) == ""
    assert "Tick one version" in app.get(address).text


def test_old_stands_beside_new_under_the_names_of_the_form(dataset, act, page):
    act("package_patch", id=dataset["id"], license_id="cc-by", notes="Every tree that the city plants, and more of it.")
    act("resource_patch", id=dataset["resources"][0]["id"], format="GeoJSON", depth="m")
    text = page(f"versions/compare?a={dataset['revision_id']}")
    assert "Description, License changed; 1 resource changed" in text
    assert "License changed Before nothing After Creative Commons Attribution" in text
    assert "Resource Street trees 2024 Format changed Before CSV After GeoJSON" in text
    assert "Depth added Before nothing After m" in text


def test_long_texts_are_compared_word_by_word(dataset, act, app):
    act("package_patch", id=dataset["id"], notes="Every tree that the city plants, and every shrub that it waters.")
    html = _html(app, dataset, f"/versions/compare?a={dataset['revision_id']}")
    assert "the city <ins>plants, and every shrub that it </ins>waters." in html


def test_raw_json_is_there_for_who_asks(dataset, act, page):
    act("package_patch", id=dataset["id"], title="Trees")
    assert '"title": "Trees"' not in page(f"versions/compare?a={dataset['revision_id']}")
    assert '+ "title": "Trees"' in page(f"versions/compare?a={dataset['revision_id']}&raw=1")


def test_a_version_and_itself(dataset, act, page):
    act("dataset_tag_create", id=dataset["id"], name="v1")
    assert "Both are the same version" in page(f"versions/compare?a=v1&b={dataset['revision_id']}")
    assert "Both are the same version" in page("versions/compare?a=v1")


@pytest.mark.parametrize("query", ["a=nothing", "a=HEAD&b=0000000", "a=", "a=%00"])
def test_what_is_no_version_is_no_page(app, dataset, query):
    assert app.get(f"/dataset/{dataset['name']}/versions/compare?{query}").status_code in (400, 404)


# -- old pages ---------------------------------------------------------------------------------------------------------


def test_an_old_page_says_so_to_people_and_to_robots(dataset, act, app):
    act("dataset_tag_create", id=dataset["id"], name="v1")
    act("package_patch", id=dataset["id"], name=f"{dataset['name']}-renamed", title="Renamed")
    now = {"name": f"{dataset['name']}-renamed"}
    html = _html(app, now, "/version/v1")
    assert '<meta name="robots" content="noindex">' in html
    assert f'<link rel="canonical" href="{SITE}/dataset/{now["name"]}">' in html
    assert "You are viewing version v1 of " in html
    assert f"/dataset/{dataset['name']}/" not in html
    assert "/dataset/edit/" not in html
    resource = dataset["resources"][0]["id"]
    html = _html(app, now, f"/version/v1/resource/{resource}")
    assert f'<link rel="canonical" href="{SITE}/dataset/{now["name"]}/resource/{resource}">' in html
    app.get(f"/dataset/{now['name']}/version/v1/resource/nothing", status=404)


def test_what_is_gone_is_told(dataset, act, page):
    group = factories.Group()
    member = {"object": dataset["id"], "object_type": "package", "capacity": "public"}
    helpers.call_action("member_create", id=group["id"], **member)
    sha = act("package_show", id=dataset["id"])["revision_id"]
    act("package_patch", id=dataset["id"], resources=[])
    helpers.call_action("group_delete", id=group["id"])
    helpers.call_action("package_owner_org_update", id=dataset["id"], organization_id=factories.Organization()["id"])
    helpers.call_action("organization_delete", id=dataset["owner_org"])
    text = page(f"version/{sha}")
    assert f"Groups that are gone: {group['name']}" in text
    assert "The organization that this version belonged to is gone" in text
    assert "no longer in the dataset" in text
    resource = page(f"version/{sha}/resource/{dataset['resources'][0]['id']}")
    assert "This resource is no longer in the dataset" in resource


def test_a_file_is_the_right_one_or_none(dataset, act, page, app, token, ckan_config, tmp_path):
    def upload(content):
        return FileStorage(BytesIO(content), filename="trees.csv")

    made = act("resource_create", package_id=dataset["id"], name="File", upload=upload(b"a"))
    first = act("package_show", id=dataset["id"])["revision_id"]
    act("package_patch", id=dataset["id"], title="Trees")
    assert "Download The file of this version" in page(f"version/{first}/resource/{made['id']}")
    act("resource_patch", id=made["id"], upload=upload(b"b"))
    text = page(f"version/{first}/resource/{made['id']}")
    assert "Not kept: the file of this version has been replaced or removed" in text
    assert "Download" not in text
    assert "Size of the file then 1 byte" in text


def test_what_a_file_was_is_told_where_it_may_not_be_there(dataset, act, page, ckan_config, monkeypatch):
    sha256 = "5E" * 32
    (resource,) = dataset["resources"]
    sha = act("resource_patch", id=resource["id"], hash=f"sha256:{sha256}", size=12345)["revision_id"]
    text = page(f"version/{sha}/resource/{resource['id']}")
    assert f"Size of the file then 12,345 bytes Its SHA-256 {sha256.lower()}" in text
    assert "git lfs" not in text
    assert "Größe der Datei damals 12.345 Bytes" in page(f"version/{sha}", language="/de")
    monkeypatch.setitem(ckan_config, "ckanext.metastore.lfs_url", "https://lfs.example.org/portal/{id}")
    assert "git lfs" in page(f"version/{sha}/resource/{resource['id']}")


def test_the_address_to_cite_is_in_no_language(dataset, app):
    html = app.get(f"/de/dataset/{dataset['name']}/versions").text
    assert html.count(f"{SITE}/dataset/{dataset['id']}/version/{dataset['revision_id']}") == 2


# -- what is for others ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word",
    ["versions/settle", "versions/check-name", *(f"version/HEAD/{do}" for do in ("name", "restore"))],
)
def test_what_is_for_editors(dataset, app, reader, word):
    address = f"/dataset/{dataset['name']}/{word}"
    answer = app.get(f"/de{address}?x=1&x=2", follow_redirects=False)
    assert answer.status_code == 302
    came_from = parse_qs(urlsplit(answer.location).query)["came_from"][0]
    assert came_from == f"/de{address}?x=1&x=2"
    headers = {"Authorization": factories.APIToken(user=reader["name"])["token"]}
    assert "Only editors of this dataset can do that" in app.get(address, headers=headers, status=403).text


def test_a_form_with_a_base_that_is_none(dataset, app, token):
    fields = {"title": "Trees", "save": "", "base_revision": "0" * 40}
    address = f"/dataset/edit/{dataset['name']}"
    assert "The form could not be read" in app.post(address, headers=token, data=fields, status=400).text
    merging = f"/dataset/{dataset['name']}/versions/merge"
    app.post(merging, headers=token, data=fields, status=404)
    fields = {**fields, "base_revision": dataset["revision_id"], "metastore_pick-x": "mine", "metastore_take": "picked"}
    app.post(merging, headers=token, data=fields, status=200)


# -- a history that somebody else wrote --------------------------------------------------------------------------------

BAD = "<script>alert(1)</script>"
HOSTILE = {
    "name": BAD,
    "title": BAD,
    "description": f"{BAD} [click](javascript:alert(2)) <img src=x onerror=alert(3)>",
    "homepage": "javascript:alert(4)",
    "version": [BAD],
    "keywords": [BAD, 7, None],
    "licenses": [{"name": BAD, "path": "javascript:alert(5)", "title": BAD}],
    "contributors": [{"title": BAD, "email": f"{BAD}@example.org", "roles": ["author"]}, 9],
    BAD: {BAD: BAD},
    "title_translated": BAD,
    "resources": [
        {
            "name": BAD,
            "path": "javascript:alert(6)",
            "format": {BAD: 1},
            "bytes": "1" * 5000,
            "created": "2024-99-99T00:00:00",
        },
        {"title": 5, "path": 7, "ckan": {"id": 8, "url_type": "upload", "size": [1], "last_modified": {}}},
        {"ckan": {"id": "a/../b?c#d", "name": None, "format": None, "description": [BAD]}},
        {},
        "none",
    ],
    "ckan": {
        "id": 3,
        "type": BAD,
        "state": 4,
        "private": "no",
        "owner_org": {BAD: BAD},
        "groups": [{"id": BAD, "title": BAD}, {"id": 3, "name": 4}],
        "extras": [{"key": BAD, "value": {BAD: [BAD]}}, {"value": 1}],
        "tags": [{"name": BAD, "vocabulary_id": BAD}, {"name": 6}],
    },
}


@pytest.fixture
def hostile(dataset):
    """The dataset's newest revision but one is hostile; gives its sha."""
    ledger = Ledger.lock(model.Session, dataset["id"])
    revision = config.backend().record(
        dataset["id"],
        document=HOSTILE,
        author=Author(f"{BAD} & Co", "x@example.org"),
        message=f"{BAD}\n\n{BAD}",
        timestamp=utc(int(time.time())),
        head=ledger.public_head,
    )
    ledger.append(revision, user_id=None)
    model.Session.commit()
    assert authors.author("")[0].name not in BAD
    return revision.sha


def test_a_hostile_history_is_text(dataset, hostile, act, app):
    html = [_html(app, dataset, "/versions")]
    act("package_patch", id=dataset["id"], title="Repaired")
    pages = [
        "/versions",
        f"/versions/compare?a={hostile}&raw=1",
        f"/versions/compare?a={dataset['revision_id']}&b={hostile}",
    ]
    html += [_html(app, dataset, address) for address in [*pages, f"/version/{hostile}"]]
    links = re.findall(r'href="(/dataset/[^"]*/version/[^"]*/resource/[^"]*)"', html[-1])
    assert links
    answers = [app.get(unescape(link)) for link in links]
    assert {answer.status_code for answer in answers} <= {200, 404}
    html += [answer.text for answer in answers]
    for text in html:
        assert "made elsewhere" in text or "<title>" in text
        assert BAD not in text
        assert not re.search(r"""(href|src)=["']?\s*javascript:""", text, re.IGNORECASE)
        assert "onerror=alert" not in text.replace("&lt;img src=x onerror=alert", "")
