"""What sysadmins see of datasets that are not published, and what they can do."""

from __future__ import annotations

import pytest

from ckanext.metastore.tests.ckan.outage import outage
from ckanext.metastore.views import admin

both_widths = pytest.mark.parametrize("width", ["desktop", "phone"])


@both_widths
def test_what_is_not_published(diverged, visit, look, width):
    page = visit("/ckan-admin/metastore", "sysadmin", width)
    look(page, f"admin-{width}")
    page.get_by_role("link", name=diverged["name"]).first.click()
    assert page.get_by_text("Trees, from Git").is_visible()
    look(page, f"admin-dataset-{width}")
    page.get_by_role("button", name="Check").click()
    page.get_by_role("heading", name="What the check has found").wait_for()
    look(page, f"admin-check-{width}")


@pytest.fixture
def failed(site):
    """Two datasets that could not be published; the folder is there again."""
    made = [site.dataset(), site.dataset()]
    with outage(site.folder):
        for dataset in made:
            site.change(dataset, "While the disk was away", title="Trees of the city")
    yield made
    for dataset in made:
        site.call("dataset_publish", id=dataset["id"])


@both_widths
def test_the_list_has_pages_and_states(failed, diverged, visit, look, width, monkeypatch):
    monkeypatch.setattr(admin, "PAGE", 1)
    page = visit("/ckan-admin/metastore", "sysadmin", width)
    assert page.get_by_role("link", name=diverged["name"]).is_visible()
    page.get_by_role("link", name="Publishing failed: 2").click()
    assert page.get_by_role("link", name="Publishing failed: 2").get_attribute("aria-current") == "page"
    page.get_by_role("link", name="Next").click()
    look(page, f"admin-page-{width}")
    (shown,) = [dataset for dataset in failed if page.get_by_role("link", name=dataset["name"]).count()]
    page.get_by_role("button", name=f"Retry {shown['name']}").click()
    page.get_by_text(f"All of {shown['name']} is published.").wait_for()
    # The page that it was on is gone.
    page.get_by_role("link", name="Show all").click()
    assert page.get_by_role("link", name="Publishing failed: 1").is_visible()


def test_pull_and_check_in_the_list(failed, visit):
    page = visit("/ckan-admin/metastore?state=failed", "sysadmin", javascript=False)
    page.get_by_role("button", name=f"Check {failed[0]['name']}").click()
    assert page.get_by_role("heading", name="What the check has found").is_visible()
    assert page.get_by_text("waiting:").is_visible()
    page.go_back()
    page.get_by_role("button", name=f"Pull {failed[0]['name']}").click()
    assert "ckanext.metastore.pull_user is not set" in page.get_by_role("alert").inner_text()


def test_a_pull_that_is_refused_says_why(diverged, visit, look):
    page = visit(f"/ckan-admin/metastore/{diverged['name']}", "sysadmin", javascript=False)
    page.get_by_role("button", name="Keep what this portal has").click()
    assert "ckanext.metastore.pull_user is not set" in page.get_by_role("alert").inner_text()


@both_widths
def test_an_editor_sees_both_sides(diverged, visit, look, width):
    page = visit(f"/dataset/{diverged['name']}/versions", "editor", width)
    page.get_by_role("link", name="Decide which side counts").click()
    look(page, f"settle-{width}")
    visit(f"/dataset/{diverged['name']}/versions/settle", "reader", status=403)


def test_a_dataset_is_published_again(site, visit):
    dataset = site.dataset()
    page = visit(f"/ckan-admin/metastore/{dataset['name']}", "sysadmin", javascript=False)
    page.get_by_role("button", name="Publish again").click()
    page.get_by_text(f"All of {dataset['name']} is published.").wait_for()


@pytest.mark.parametrize(("width", "javascript"), [("desktop", True), ("phone", True), ("phone", False)])
def test_purge_wants_the_name(site, visit, look, width, javascript):
    dataset = site.dataset()
    page = visit(f"/ckan-admin/metastore/{dataset['name']}", "sysadmin", width, javascript=javascript)
    page.get_by_label("To confirm, type its name").fill("something else")
    page.get_by_role("button", name="Purge dataset and history").click()
    assert page.locator("#confirmation-error").is_visible()
    if javascript:  # which axe-core needs
        look(page, f"admin-purge-{width}")
    page.get_by_label("To confirm, type its name").fill(dataset["name"])
    page.get_by_role("button", name="Purge dataset and history").click()
    page.get_by_text(f"{dataset['name']} is purged").wait_for()
    visit(f"/dataset/{dataset['name']}", status=404)


@pytest.mark.parametrize("address", ["/ckan-admin/metastore", "/ckan-admin/metastore/any"])
def test_others_are_refused(site, visit, address):
    page = visit(address, "editor", status=403)
    assert page.get_by_text("Only system administrators can do that").is_visible()
    assert "/user/login?came_from=" in visit(address).url
