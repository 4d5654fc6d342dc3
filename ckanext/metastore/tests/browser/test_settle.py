"""Somebody has committed at the Git host what does not go with the portal's changes, and an editor decides."""

from __future__ import annotations

import pytest

from ckanext.metastore.tests.browser.conftest import GITHUB_TOKEN
from ckanext.metastore.tests.ckan.github.stranger import Stranger

SIDES = [("Take what the Git host has", "Trees, from Git"), ("Keep what this portal has", "Trees of CKAN")]


@pytest.fixture
def clash(github, site, tmp_path):
    """A dataset of which both sides have changed the title, and only one the description."""
    dataset = site.dataset()
    url = f"{github.git_url}/city/{dataset['name']}.git".replace("://", f"://ada:{GITHUB_TOKEN}@")
    stranger = Stranger(url, tmp_path / "clone")
    stranger.edit(lambda document: document.update(title="Trees, from Git"))
    site.change(dataset, "Meanwhile", title="Trees of CKAN", notes="All trees.")
    return dataset


@pytest.mark.parametrize(("button", "title"), SIDES)
def test_an_editor_decides(clash, site, visit, look, button, title):
    admin = visit("/ckan-admin/metastore", "sysadmin", javascript=False)
    admin.get_by_role("button", name=f"Pull {clash['name']}").click()
    assert "have both changed title" in admin.get_by_role("alert").inner_text()
    page = visit(f"/dataset/{clash['name']}/versions", "editor", "phone", javascript=False)
    assert page.locator(".metastore-changes .metastore-light").first.inner_text().strip() == "Diverged"
    page.get_by_role("link", name="Decide which side counts").click()
    assert page.get_by_text("Trees, from Git").is_visible()
    page.get_by_role("button", name=button).click()
    page.get_by_text("Both sides are joined.").wait_for()
    now = site.call("package_show", id=clash["id"])
    assert (now["title"], now["notes"]) == (title, "All trees.")
    assert not page.get_by_text("Diverged").count()
    assert page.get_by_text("made elsewhere").first.is_visible()
    look(visit(page.url, "editor"), f"settled-{title.split()[-1].lower()}")
