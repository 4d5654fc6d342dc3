"""What editors do: name a version, go back to one, and save over what somebody else has saved."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from ckanext.metastore.tests.browser.site import PASSWORD

both_widths = pytest.mark.parametrize("width", ["desktop", "phone"])


@pytest.fixture
def trees(site):
    """A dataset with two versions, the first of which has a name."""
    dataset = site.dataset(extras=[{"key": "district", "value": "Old town"}])
    site.call("dataset_tag_create", id=dataset["id"], name="1.0")
    return site.change(dataset, "Say it better", title="Trees of the city", notes="All trees.")


@both_widths
def test_a_version_gets_a_name(trees, site, visit, look, width):
    page = visit(f"/dataset/{trees['name']}/versions", "editor", width)
    page.get_by_role("link", name="Name this version").first.click()
    page.get_by_label("Name (required)").press_sequentially("1.0")
    page.get_by_text("Another version has this name already").wait_for()
    look(page, f"name-{width}")
    page.get_by_label("Name (required)").fill("2.0")
    page.get_by_text("This name can be used").wait_for()
    page.get_by_label("Description").fill("As printed")
    page.get_by_role("button", name="Name this version").click()
    page.get_by_text("This version is called 2.0 now.").wait_for()
    (newest, _first) = site.call("dataset_tag_list", id=trees["id"])
    assert (newest["name"], newest["description"]) == ("2.0", "As printed")


def test_a_name_is_changed_and_deleted_without_javascript(trees, site, visit, look):
    page = visit(f"/dataset/{trees['name']}/versions", "editor", javascript=False)
    page.get_by_role("link", name="Edit name 1.0").click()
    page.get_by_label("Name (required)").fill("one two")
    page.get_by_role("button", name="Check the name").click()
    assert page.locator("#name-verdict.metastore-error").inner_text()
    page.get_by_role("button", name="Save the name").click()
    assert page.locator("#name-error").inner_text()
    assert page.get_by_label("Name (required)").input_value() == "one two"
    page.get_by_label("Name (required)").fill("1.1")
    page.get_by_role("button", name="Save the name").click()
    assert [tag["name"] for tag in site.call("dataset_tag_list", id=trees["id"])] == ["1.1"]
    page.goto(f"/dataset/{trees['name']}/versions")
    page.get_by_role("link", name="Delete name 1.1").click()
    page.get_by_role("button", name="Delete the name").click()
    assert site.call("dataset_tag_list", id=trees["id"]) == []


@both_widths
def test_why_a_dataset_is_new(site, visit, look, width):
    page = visit("/dataset/new", "editor", width)
    page.get_by_label("Title").press_sequentially(f"Park benches {width}")
    page.get_by_label("What changed and why").fill("The council asked for them")
    look(page, f"new-dataset-{width}")
    page.get_by_role("button", name="Next: Add Data").click()
    page.wait_for_url("**/resource/new")
    page.get_by_role("button", name="Link").click()
    page.get_by_label("URL", exact=True).fill("https://example.org/benches.csv")
    page.get_by_label("Name").fill("Benches")
    page.get_by_role("button", name=re.compile("Publish|Finish")).click()  # CKAN 2.12, and 2.11
    page.wait_for_url(f"**/dataset/park-benches-{width}")
    (only,) = site.call("dataset_revision_list", id=f"park-benches-{width}")
    assert only["message"].strip() == "The council asked for them"


def test_why_a_resource_is_new_without_javascript(trees, site, visit):
    page = visit(f"/dataset/{trees['name']}/resource/new", "editor", javascript=False)
    page.get_by_label("Name").fill("Felled trees")
    page.get_by_label("What changed and why").fill("There was a storm")
    page.get_by_role("button", name="Add", exact=True).click()
    assert site.call("dataset_revision_list", id=trees["id"])[0]["message"].strip() == "There was a storm"


@pytest.mark.parametrize(("width", "javascript"), [("desktop", True), ("phone", True), ("desktop", False)])
def test_two_people_save_one_dataset(trees, site, visit, look, width, javascript):
    page = visit(f"/dataset/edit/{trees['name']}", "editor", width, javascript=javascript)
    page.get_by_label("Title").fill("My trees")
    page.get_by_label("Version").fill("3")
    page.get_by_label("What changed and why").fill("Mine, and why")
    site.change(trees, "Meanwhile", user="ravi", title="Their trees", notes="Their notes")
    page.get_by_role("button", name="Update Dataset").click()
    page.get_by_text("Somebody else has saved this dataset since you opened it").wait_for()
    expect(page.get_by_role("heading", name="Somebody else has saved this dataset")).to_be_focused()
    assert page.get_by_label("Title").input_value() == "My trees"
    assert page.get_by_label("What changed and why").input_value() == "Mine, and why"
    if javascript:  # which axe-core needs
        look(page, f"conflict-{width}")
    page.get_by_label("Theirs").check()
    page.get_by_role("button", name="Merge as picked").click()
    assert page.get_by_label("Title").input_value() == "Their trees"
    page.get_by_role("button", name="Update Dataset").click()
    page.wait_for_url(f"**/dataset/{trees['name']}")
    now = site.call("package_show", id=trees["id"])
    assert (now["title"], now["notes"], now["version"]) == ("Their trees", "Their notes", "3")
    assert [extra["value"] for extra in now["extras"]] == ["Old town"]
    assert site.call("dataset_revision_list", id=trees["id"])[0]["message"].strip() == "Mine, and why"


def test_two_people_save_one_resource(trees, site, visit, look):
    (resource,) = site.call("package_show", id=trees["id"])["resources"]
    page = visit(f"/dataset/{trees['name']}/resource/{resource['id']}/edit", "editor")
    page.get_by_label("Name").fill("My table")
    page.get_by_label("What changed and why").fill("Mine")
    site.call("resource_patch", "ravi", id=resource["id"], name="Their table", description="Theirs")
    page.get_by_role("button", name="Update Resource").click()
    look(page, "conflict-resource")
    page.get_by_role("button", name="Keep mine").click()
    page.get_by_role("button", name="Update Resource").click()
    now = site.call("resource_show", id=resource["id"])
    assert (now["name"], now["description"]) == ("My table", "Theirs")
    assert site.call("dataset_revision_list", id=trees["id"])[0]["message"].strip() == "Mine"


@both_widths
def test_a_resource_is_deleted_while_somebody_edits_it(trees, site, visit, look, width):
    (resource,) = site.call("package_show", id=trees["id"])["resources"]
    page = visit(f"/dataset/{trees['name']}/resource/{resource['id']}/edit", "editor", width)
    page.get_by_label("Name").fill("My table")
    page.get_by_label("What changed and why").fill("Mine, and why")
    site.change(trees, "It was the wrong one", user="ravi", resources=[])
    page.get_by_role("button", name="Update Resource").click()
    expect(page.get_by_role("heading", name="This resource has been deleted since you opened it")).to_be_focused()
    assert page.get_by_text("It was the wrong one").is_visible()
    assert page.get_by_label("Name").input_value() == "My table"
    look(page, f"conflict-gone-{width}")
    restore = page.get_by_role("link", name="Restore the deleted resource").get_attribute("href")
    page.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_url(f"**/dataset/{trees['name']}")
    (added,) = site.call("package_show", id=trees["id"])["resources"]
    assert (added["name"], added["url"]) == ("My table", "https://example.org/trees.csv")
    assert not [name for name in added if name.startswith("metastore_")]
    assert added["id"] != resource["id"]
    assert site.call("dataset_revision_list", id=trees["id"])[0]["message"].strip() == "Mine, and why"
    page.goto(restore)
    page.get_by_role("button", name="Restore as shown").click()
    assert resource["id"] in {each["id"] for each in site.call("package_show", id=trees["id"])["resources"]}


def test_a_resource_is_deleted_before_two_sides_are_joined(trees, site, visit):
    (resource,) = site.call("package_show", id=trees["id"])["resources"]
    page = visit(f"/dataset/{trees['name']}/resource/{resource['id']}/edit", "editor", javascript=False)
    page.get_by_label("Name").fill("My table")
    site.call("resource_patch", "ravi", id=resource["id"], name="Their table")
    page.get_by_role("button", name="Update Resource").click()
    site.change(trees, "Away with it", user="ravi", resources=[])
    page.get_by_role("button", name="Keep mine").click()
    expect(page.get_by_role("heading", name="This resource has been deleted since you opened it")).to_be_focused()
    assert page.get_by_label("Name").input_value() == "My table"
    assert page.get_by_text("Away with it").is_visible()


def test_a_file_has_to_be_chosen_again(trees, site, visit, look):
    new = {"name": "trees.csv", "mimeType": "text/csv", "buffer": b"oak,1"}
    made = site.upload(trees, "old.csv", b"elm,1")
    page = visit(f"/dataset/{trees['name']}/resource/{made['id']}/edit", "editor")
    page.locator("#field-resource-upload").set_input_files(new)
    page.get_by_label("Description").fill("The newest survey")
    site.call("resource_patch", "ravi", id=made["id"], name="Their table")
    page.get_by_role("button", name="Update Resource").click()
    said = "The file trees.csv could not be kept: choose it again below before you save."
    page.get_by_text(said).wait_for()
    assert not page.get_by_role("group", name="File or link").count()
    look(page, "conflict-file")
    page.get_by_role("button", name="Join both").click()
    page.get_by_text(said).wait_for()
    assert page.get_by_label("Description").input_value() == "The newest survey"
    page.get_by_role("button", name="Update Resource").click()
    now = site.call("resource_show", id=made["id"])
    assert (now["name"], now["description"], now["url_type"]) == ("Their table", "The newest survey", "upload")
    assert now["url"].endswith("/old.csv")  # whoever does not choose it again keeps the old one


def test_a_file_that_was_to_replace_a_link_has_to_be_chosen_again(trees, site, visit):
    (resource,) = site.call("package_show", id=trees["id"])["resources"]
    page = visit(f"/dataset/{trees['name']}/resource/{resource['id']}/edit", "editor")
    page.get_by_role("button", name="Remove").locator("visible=true").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload").click()
    chooser.value.set_files({"name": "trees.csv", "mimeType": "text/csv", "buffer": b"oak,1"})
    site.call("resource_patch", "ravi", id=resource["id"], name="Their table")
    page.get_by_role("button", name="Update Resource").click()
    page.get_by_text("The file trees.csv could not be kept").wait_for()
    page.get_by_role("button", name="Join both").click()
    page.get_by_role("button", name="Update Resource").click()
    page.wait_for_url(f"**/resource/{resource['id']}")
    now = site.call("resource_show", id=resource["id"])
    assert (now["name"], now["url"], now["url_type"] or "") == ("Their table", "https://example.org/trees.csv", "")


@pytest.mark.parametrize("word", ["name", "edit-name", "delete-name", "restore"])
def test_others_are_refused(trees, visit, word):
    page = visit(f"/dataset/{trees['name']}/version/1.0/{word}", "reader", status=403)
    assert page.get_by_text("Only editors of this dataset can do that").is_visible()


@both_widths
def test_who_is_not_logged_in_logs_in_and_comes_back(trees, site, visit, width):
    address = f"/dataset/{trees['name']}/version/1.0/restore?what=parts&fields=title&fields=notes"
    page = visit(address, width=width)
    assert page.url.startswith(f"{site.url}/user/login?came_from=")
    page.get_by_label("Username").fill("edda")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Login").click()
    page.wait_for_url("**/restore?**")
    assert page.get_by_label("Title").is_checked()
    assert page.get_by_label("Description").is_checked()
