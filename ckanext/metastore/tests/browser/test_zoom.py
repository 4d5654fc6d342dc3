"""German words are long: the pages in German, at 200 %, and at 400 %, where a window is 320 pixels wide."""

from __future__ import annotations

import pytest

PAGES = {
    "versions": "versions",
    "compare": "versions/compare?a=1.0&raw=1",
    "old": "version/1.0",
    "restore": "version/1.0/restore?what=parts&fields=title",
}


@pytest.fixture(scope="module")
def trees(site):
    """A dataset with a past, and names without a place to break them."""
    dataset = site.dataset(title="Donaudampfschifffahrtsgesellschaftskapitänsmützen")
    site.call("dataset_tag_create", id=dataset["id"], name="1.0")
    resources = site.call("package_show", id=dataset["id"])["resources"]
    long = {"name": "a" * 80, "url": f"https://example.org/{'b' * 120}.csv"}
    site.change(dataset, "Mehr Mützen", title="Mützen", notes="Alle Mützen. " * 20, resources=[*resources, long])
    site.call("dataset_tag_create", id=dataset["id"], name="d" * 60, description="Wie im Jahrbuch gedruckt")
    return dataset


@pytest.mark.parametrize("page", PAGES)
def test_in_german(trees, visit, look, page):
    window = visit(f"/de/dataset/{trees['name']}/{PAGES[page]}", "editor", "zoomed")
    look(window, f"german-{page}")
    window.set_viewport_size({"width": 320, "height": 256})
    look.fits(window, page)
