"""The pictures of README.rst. ``make pictures`` takes them anew; the tests leave them alone."""

from __future__ import annotations

import time

import pytest

from ckanext.metastore.tests.browser.conftest import ROOT

FOLDER = ROOT / "docs/images"
SIZE = {"width": 1000, "height": 700}
MARGIN = 12
# A ground of one colour, or the files are twice as large.
PLAIN = "body, .main, [role=main] { background-image: none !important; }"


@pytest.fixture(scope="module")
def trees(site):
    """The trees of a small city, over some years."""
    first = {"notes": "Every tree that the city waters, with its species and the year it was planted.", "version": "1"}
    dataset = site.dataset(name="street-trees", license_id="cc-by", **first)
    site.call("dataset_tag_create", id=dataset["id"], name="2025", description="As printed in the yearbook")
    time.sleep(1)  # names of one second come in the order of the alphabet
    felled = {"name": "Felled trees", "url": "https://example.org/felled.csv", "format": "CSV"}
    resources = site.call("package_show", id=dataset["id"])["resources"]
    site.change(dataset, "Add the felled trees", user="ravi", resources=[*resources, felled])
    better = "Every tree that the city waters, with its species, its height and the year it was planted."
    site.change(dataset, "Heights, measured from the air", title="Trees of the city", notes=better)
    site.call("dataset_tag_create", id=dataset["id"], name="2026")
    for word in ("birch", "oak", "elm"):
        site.change(dataset, f"Look at the {word} again", tags=[{"name": word}])
    site.change(dataset, "The felled trees have a dataset of their own", user="ravi", resources=resources)
    return dataset


@pytest.fixture
def take(trees, visit):
    """Take a picture: of a page from the top of an element, so many pixels high."""

    def picture(page, name, where, height):
        page.set_viewport_size(SIZE)
        page.wait_for_load_state("networkidle")
        page.evaluate("document.activeElement.blur()")
        box = page.locator(where).first.bounding_box()
        clip = {
            "x": max(box["x"] - MARGIN, 0),
            "y": box["y"] - MARGIN,
            "width": box["width"] + 2 * MARGIN,
            "height": min(height, box["height"] + 2 * MARGIN),
        }
        page.screenshot(path=FOLDER / f"{name}.png", full_page=True, clip=clip, style=PLAIN, scale="css")

    return picture


def test_versions(trees, visit, take):
    take(visit("/dataset/street-trees/versions", "editor"), "versions", ".primary", 940)


def test_comparison(trees, visit, take):
    page = visit("/dataset/street-trees/versions/compare?a=2025&b=2026", "editor")
    take(page, "comparison", ".metastore", 635)


def test_old_version(trees, visit, take):
    take(visit("/dataset/street-trees/version/2025", "editor"), "old-version", "#content", 660)


def test_conflict(trees, site, visit, take):
    page = visit("/dataset/edit/street-trees", "editor")
    page.get_by_label("Title").fill("Trees of Harrowmere")
    page.get_by_label("Version").fill("3")
    page.get_by_label("What changed and why").fill("Third survey")
    site.change(trees, "Say it better", user="ravi", title="City trees", version="2")
    page.get_by_role("button", name="Update Dataset").click()
    take(page, "conflict", ".metastore-conflict", 700)
