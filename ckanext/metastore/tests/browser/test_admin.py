"""What sysadmins see of datasets that are not published, and what they can do."""

from __future__ import annotations

import time

import pytest

from ckanext.metastore.model import pulls
from ckanext.metastore.model.pulls import Divergence

both_widths = pytest.mark.parametrize("width", ["desktop", "phone"])


@pytest.fixture
def diverged(site):
    """As a pull leaves it that could not decide."""
    dataset = site.dataset(title="Street trees of CKAN")
    clash = {"path": ["title"], "base": "Street trees", "ours": "Street trees of CKAN", "theirs": "Trees, from Git"}
    pulls.refuse(dataset["id"], Divergence("c0ffee" + "0" * 34, "both have changed title", [clash], int(time.time())))
    yield dataset
    pulls.settle(dataset["id"])


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


def test_purge_wants_the_name(site, visit, look):
    dataset = site.dataset()
    page = visit(f"/ckan-admin/metastore/{dataset['name']}", "sysadmin")
    page.get_by_label("To confirm, type its name").fill("something else")
    page.get_by_role("button", name="Purge dataset and history").click()
    assert page.locator("#confirmation-error").is_visible()
    look(page, "admin-purge")
    page.get_by_label("To confirm, type its name").fill(dataset["name"])
    page.get_by_role("button", name="Purge dataset and history").click()
    page.get_by_text(f"{dataset['name']} is purged").wait_for()
    visit(f"/dataset/{dataset['name']}", status=404)


@pytest.mark.parametrize("address", ["/ckan-admin/metastore", "/ckan-admin/metastore/any"])
def test_others_are_refused(site, visit, address):
    visit(address, "editor", status=403)
    visit(address, status=403)
