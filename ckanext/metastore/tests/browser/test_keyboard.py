"""All that editors do with versions, done with the keyboard alone: by Tab, Space and Enter, seeing where one is."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

# What has the focus: its name, whether it is ours, and whether one sees it: it stands out, and is in the window.
_FOCUS = r"""() => {
    const each = document.activeElement, style = getComputedStyle(each), box = each.getBoundingClientRect();
    const label = each.labels && each.labels.length ? each.labels[0].innerText : "";
    const name = each.getAttribute("aria-label") || label || each.innerText || "";
    const marked = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
    const there = box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight;
    return [name.replace(/\s+/g, " ").trim(), Boolean(each.closest(".metastore")), marked && there];
}"""
ENOUGH = 120


class Keyboard:
    """Somebody without a mouse.

    :param page: where they are
    """

    def __init__(self, page):
        self.page = page
        page.emulate_media(reduced_motion="reduce")  # or pages glide to the focus for a while

    def to(self, name):
        """Go on by Tab to what has this name; on the way through our pages the focus is always seen."""
        passed = []
        for _ in range(ENOUGH):
            self.page.keyboard.press("Tab")
            here, ours, seen = self.page.evaluate(_FOCUS)
            assert seen or not ours, f"the focus cannot be seen on {here}"
            if here == name:
                return self
            passed.append(here)
        raise AssertionError(f"no {name} among {passed}")

    def press(self, key):
        self.page.keyboard.press(key)

    def follow(self, name):
        """Go to a link or a button, and press Enter; wait for the page that it leads to."""
        self.to(name)
        with self.page.expect_navigation():
            self.press("Enter")

    def type(self, name, text):
        self.to(name)
        self.page.keyboard.type(text)


@pytest.fixture
def trees(site):
    """A dataset with three versions, the first of which has a name."""
    dataset = site.dataset()
    site.call("dataset_tag_create", id=dataset["id"], name="1.0")
    site.change(dataset, "Better", notes="All trees.")
    return site.change(dataset, "Say it better", user="ravi", title="Trees of the city")


def test_everything_goes_with_the_keyboard(trees, site, visit):
    page = visit(f"/dataset/{trees['name']}", "editor")
    keyboard = Keyboard(page)
    keyboard.to("Skip to main content").press("Enter")  # past the portal's own menu
    keyboard.follow("Versions (3)")

    keyboard.to("Compare version 1.0").press("Space")
    keyboard.to(f"Compare version {trees['revision_id'][:7]}").press("Space")
    keyboard.follow("Compare ticked versions")
    assert {ref for _, ref in parse_qsl(urlsplit(page.url).query)} == {"1.0", trees["revision_id"]}

    keyboard.follow("1.0")
    page.get_by_text("You are viewing version 1.0").wait_for()
    keyboard.follow("Name this version")
    keyboard.type("Name (required)", "first")
    keyboard.type("Description", "As printed")
    keyboard.follow("Name this version")
    assert {tag["name"] for tag in site.call("dataset_tag_list", id=trees["id"])} == {"1.0", "first"}

    page.goto(f"/dataset/{trees['name']}/version/1.0")
    keyboard.follow("Restore this version")
    keyboard.to("Title").press("Space")
    keyboard.follow("Show what this changes")
    keyboard.type("Why", "The old title was right")
    keyboard.follow("Restore as shown")
    page.get_by_text("Restored. This is the new version.").wait_for()
    now = site.call("package_show", id=trees["id"])
    assert (now["title"], now["notes"]) == ("Street trees", "All trees.")
