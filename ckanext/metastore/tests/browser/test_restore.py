"""Going back: whole, by fields, by resources; what was private; and what cannot come back."""

from __future__ import annotations

import pytest

both_widths = pytest.mark.parametrize("width", ["desktop", "phone"])


@pytest.fixture
def trees(site):
    """A dataset with two versions, the first of which has a name."""
    dataset = site.dataset(extras=[{"key": "district", "value": "Old town"}])
    site.call("dataset_tag_create", id=dataset["id"], name="1.0")
    return site.change(dataset, "Say it better", title="Trees of the city", notes="All trees.")


@both_widths
def test_a_version_is_restored(trees, site, visit, look, width):
    page = visit(f"/dataset/{trees['name']}/version/1.0", "editor", width)
    page.get_by_role("link", name="Restore this version").click()
    look(page, f"restore-{width}")
    page.get_by_label("Title").check()
    page.get_by_role("button", name="Show what this changes").click()
    look(page, f"restore-parts-{width}")
    page.get_by_label("Why").fill("The old title was right")
    page.get_by_role("button", name="Restore as shown").click()
    page.get_by_text("Restored. This is the new version.").wait_for()
    look(page, f"restored-{width}")
    now = site.call("package_show", id=trees["id"])
    assert (now["title"], now["notes"]) == ("Street trees", "All trees.")
    assert site.call("dataset_revision_list", id=trees["id"])[0]["message"].strip() == "The old title was right"


def test_a_preview_that_is_out_of_date_restores_nothing(trees, site, visit):
    page = visit(f"/dataset/{trees['name']}/version/1.0/restore", "editor", javascript=False)
    site.change(trees, "Meanwhile", user="ravi", version="7")
    page.get_by_role("button", name="Restore as shown").click()
    page.get_by_text("Somebody has saved this dataset since you looked at it.").wait_for()
    assert site.call("package_show", id=trees["id"])["title"] == "Trees of the city"


@both_widths
def test_one_resource_is_restored(trees, site, visit, look, width):
    (first,) = site.call("package_show", id=trees["id"])["resources"]
    second = {"name": "Felled trees", "url": "https://example.org/felled.csv"}
    site.change(trees, "Another", resources=[{**first, "name": "Renamed", "format": "XLS"}, second])
    page = visit(f"/dataset/{trees['name']}/version/1.0/restore", "editor", width, javascript=False)
    page.get_by_label("Only what is ticked here").check()
    page.get_by_label("Resource: Renamed").check()
    page.get_by_role("button", name="Show what this changes").click()
    assert page.get_by_label("Resource: Renamed").is_checked()
    page.get_by_role("button", name="Restore as shown").click()
    page.get_by_text("Restored. This is the new version.").wait_for()
    now = site.call("package_show", id=trees["id"])
    assert [(each["name"], each["format"]) for each in now["resources"]] == [
        ("Street trees 2024", "CSV"),
        ("Felled trees", "CSV"),
    ]
    assert now["title"] == "Trees of the city"


@both_widths
def test_what_cannot_come_back_is_listed(trees, site, visit, look, width):
    made = site.upload(trees, "survey.csv", b"elm,1")
    site.call("dataset_tag_create", id=trees["id"], name="2.0")
    site.call("resource_delete", id=made["id"])
    page = visit(f"/dataset/{trees['name']}/version/2.0/restore", "editor", width)
    assert page.get_by_text("The resource survey.csv comes back without its views").is_visible()
    look(page, f"restore-warnings-{width}")
    page.get_by_role("button", name="Restore as shown").click()
    page.get_by_text("Restored. This is the new version.").wait_for()
    assert page.get_by_text("Not restored: The resource survey.csv comes back without its views").is_visible()
    look(page, f"restored-warnings-{width}")


def test_what_was_not_public_is_published_only_where_that_is_said(site, visit, look):
    dataset = site.dataset(private=True, title="Not yet for everybody")
    site.call("dataset_tag_create", id=dataset["id"], name="draft")
    site.change(dataset, "Ready", private=False, title="For everybody")
    page = visit(f"/dataset/{dataset['name']}/version/draft/restore", "editor", "phone", javascript=False)
    assert page.get_by_role("alert").get_by_text("was not public, and the dataset is").is_visible()
    assert not page.get_by_role("button", name="Restore as shown").count()
    page.get_by_label("This version was not public. Publish what it holds.").check()
    page.get_by_role("button", name="Show what this changes").click()
    page.get_by_role("button", name="Restore as shown").click()
    page.get_by_text("Restored. This is the new version.").wait_for()
    now = site.call("package_show", "", id=dataset["id"])
    assert (now["title"], now["private"]) == ("Not yet for everybody", False)


@pytest.mark.parametrize("role", ["reader", "anonymous"])
def test_others_have_no_button(trees, visit, role):
    page = visit(f"/dataset/{trees['name']}/version/1.0", role, "phone")
    assert page.get_by_role("link", name="Compare with current").is_visible()
    for name in ("Restore this version", "Name this version"):
        assert not page.get_by_role("link", name=name).count()
