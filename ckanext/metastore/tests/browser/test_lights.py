"""How far each version has come, and where its commit is."""

from __future__ import annotations

import pytest

from ckanext.metastore.tests.ckan.outage import outage

both_widths = pytest.mark.parametrize("width", ["desktop", "phone"])


def _lights(page):
    return page.locator(".metastore-changes .metastore-light").all_inner_texts()


def test_published_and_the_commit_where_it_is_public(github, site, visit, look):
    dataset = site.dataset()
    page = visit(f"/dataset/{dataset['name']}/versions")
    assert [text.strip() for text in _lights(page)] == ["Published"]
    link = page.get_by_role("link", name="Commit at the Git host")
    assert link.get_attribute("href") == f"{github.git_url}/city/{dataset['name']}/commit/{dataset['revision_id']}"
    look(page, "light-published-desktop")


def test_what_is_private_has_no_commit_to_link_to(github, site, visit):
    dataset = site.dataset(private=True)
    page = visit(f"/dataset/{dataset['name']}/versions", "editor")
    assert [text.strip() for text in _lights(page)] == ["Published"]
    assert not page.get_by_role("link", name="Commit").count()


def test_waiting(site, visit, look):
    with site.configured({"ckanext.metastore.publish": "background"}):
        dataset = site.dataset()
        page = visit(f"/dataset/{dataset['name']}/versions", "reader", "phone")
        assert [text.strip() for text in _lights(page)] == ["Waiting to be published"]
        look(page, "light-waiting-phone")
    site.call("dataset_publish", id=dataset["id"])


@both_widths
def test_failed(site, visit, look, width):
    dataset = site.dataset()
    with outage(site.folder):
        site.change(dataset, "While the disk was away", title="Trees of the city")
        # What was published cannot be read now, either: the page says so, and stands.
        page = visit(f"/dataset/{dataset['name']}/versions", "editor", width)
        assert [text.strip() for text in _lights(page)] == ["Publishing failed", "Published"]
        look(page, f"light-failed-{width}")
        read = visit(f"/dataset/{dataset['name']}/versions", "reader", width)
        assert [text.strip() for text in _lights(read)] == ["Waiting to be published", "Published"]
    site.call("dataset_publish", id=dataset["id"])


def test_diverged(diverged, site, visit, look):
    with site.configured({"ckanext.metastore.publish": "background"}):
        site.change(diverged, "Not yet there", notes="All trees.")
        page = visit(f"/dataset/{diverged['name']}/versions", "editor", "phone")
        assert [text.strip() for text in _lights(page)] == ["Diverged", "Published"]
        look(page, "light-diverged-phone")
    site.call("dataset_publish", id=diverged["id"])
