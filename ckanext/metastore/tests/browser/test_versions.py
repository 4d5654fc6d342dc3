"""The "Versions" tab."""

from __future__ import annotations

import pytest

PEOPLE = [("editor", "desktop"), ("editor", "phone"), ("reader", "desktop"), ("anonymous", "phone")]
everybody = pytest.mark.parametrize(("role", "width"), PEOPLE)


@pytest.fixture(scope="module")
def trees(site):
    """A dataset with a past: two people, two names, a burst of changes, a resource that came and one that went."""
    dataset = site.dataset(extras=[{"key": "district", "value": "Old town"}])
    felled = {"name": "Felled trees", "url": "https://example.org/felled.csv", "format": "CSV"}
    resources = site.call("package_show", id=dataset["id"])["resources"]
    site.change(dataset, "Add the felled trees", resources=[*resources, felled])
    site.call("dataset_tag_create", id=dataset["id"], name="2026-spring", description="As printed in the yearbook")
    site.change(dataset, "Say it better", user="ravi", title="Trees of the city", tags=[{"name": "trees"}])
    for word in ("birch", "oak", "elm", "lime"):
        site.change(dataset, f"Look at the {word} again", notes=f"Every tree that the city waters: {word} above all.")
    site.change(dataset, "The felled trees have a dataset of their own\n\nIt is called felled.", resources=resources)
    site.call("dataset_tag_create", id=dataset["id"], name="2026-autumn")
    return dataset


@everybody
def test_the_list(trees, visit, look, role, width):
    page = visit(f"/dataset/{trees['name']}", role, width)
    page.get_by_role("link", name="Versions (8)").click()
    page.get_by_text("Link and cite").click()
    page.get_by_text("4 changes by Edda Ito").click()
    look(page, f"versions-{role}-{width}")


@everybody
def test_compare(trees, visit, look, role, width):
    page = visit(f"/dataset/{trees['name']}/versions/compare?a=2026-spring&raw=1", role, width)
    look(page, f"compare-{role}-{width}")


@everybody
def test_an_old_version(trees, visit, look, role, width):
    page = visit(f"/dataset/{trees['name']}/version/2026-spring", role, width)
    look(page, f"old-{role}-{width}")
    assert not page.get_by_role("link", name="Manage").count()
    page.get_by_role("link", name="Felled trees", exact=True).click()
    look(page, f"old-resource-{role}-{width}")
    assert page.get_by_text("This resource is no longer in the dataset.").is_visible()


def test_all_goes_without_javascript(trees, visit):
    page = visit(f"/dataset/{trees['name']}/versions", javascript=False)
    assert not page.get_by_role("button", name="Copy link").count()
    page.get_by_text("4 changes by Edda Ito").click()
    page.get_by_role("checkbox", name="Compare version 2026-spring").first.check()
    page.get_by_role("checkbox", name="Compare version 2026-autumn").first.check()
    page.get_by_role("button", name="Compare ticked versions").click()
    assert page.url.endswith("/compare?a=2026-spring&b=2026-autumn")
    page.get_by_role("link", name="Swap").click()
    assert page.get_by_label("Older").input_value() == "2026-autumn"
    page.get_by_role("link", name="Show the raw JSON").click()
    assert page.get_by_role("link", name="Hide the raw JSON").is_visible()
    page.get_by_role("link", name="2026-spring").click()
    page.get_by_role("link", name="View current").click()
    assert page.url.endswith(f"/dataset/{trees['name']}")


def test_all_goes_with_the_keyboard(trees, visit):
    page = visit(f"/dataset/{trees['name']}/versions")
    page.get_by_role("checkbox", name="Compare version 2026-spring").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_url("**/compare?a=2026-spring")
    page.go_back()
    page.locator(".metastore-burst summary").focus()
    page.keyboard.press("Enter")
    assert page.get_by_text("Look at the oak again").is_visible()


def test_the_address_and_the_citation_can_be_copied(site, trees, visit):
    page = visit(f"/dataset/{trees['name']}/versions")
    page.get_by_text("Link and cite").click()
    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("Copied", exact=True).wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == f"{site.url}/dataset/{trees['id']}/version/2026-autumn"
    page.get_by_role("button", name="Copy citation").click()
    page.wait_for_function("navigator.clipboard.readText().then(text => text.startsWith('Parks and Gardens ('))")
    assert page.evaluate("navigator.clipboard.readText()").endswith(f"Open Data Harrowmere. {link}")
    assert visit(link).get_by_text("the current one").is_visible()
