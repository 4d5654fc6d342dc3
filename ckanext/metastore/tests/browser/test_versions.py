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
    look(page, f"versions-{role}-{width}")


@everybody
def test_compare(trees, visit, look, role, width):
    page = visit(f"/dataset/{trees['name']}/versions/compare?a=2026-spring&raw=1", role, width)
    look(page, f"compare-{role}-{width}")


@everybody
def test_an_old_version(trees, visit, look, role, width):
    page = visit(f"/dataset/{trees['name']}/version/2026-spring", role, width)
    look(page, f"old-{role}-{width}")
    page.get_by_role("link", name="Felled trees", exact=True).click()
    look(page, f"old-resource-{role}-{width}")
