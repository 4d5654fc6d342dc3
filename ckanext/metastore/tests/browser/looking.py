"""Looking at a page: a picture for people, and axe-core for what people with a screen reader would meet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_WIDE = """where => [...document.querySelectorAll(where + ' *')]
    .filter(each => !each.closest('pre') && each.getBoundingClientRect().right > document.documentElement.clientWidth)
    .map(each => each.outerHTML.slice(0, 200))"""
_RUN = "([where, tags]) => axe.run(where, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})"


@dataclass(frozen=True)
class Look:
    """Takes a picture of a page and holds the page against WCAG 2.2 AA.

    :param pictures: the folder of the pictures
    :param axe: axe-core's program
    """

    pictures: Path
    axe: Path

    def __call__(self, page: Page, name: str, *, where: str = ".metastore") -> None:
        """Save ``<name>.png``; nothing is wider than the window, and axe-core finds nothing in what is ours.

        :param where: what is ours, as a CSS selector
        """
        self.pictures.mkdir(parents=True, exist_ok=True)
        page.wait_for_load_state("networkidle")
        page.evaluate("document.fonts.ready.then(() => null)")
        page.screenshot(path=self.pictures / f"{name}.png", full_page=True)
        self.fits(page, name, where=where)
        assert not (found := self.violations(page, where)), "\n".join([f"{name}:", *found])

    def fits(self, page: Page, name: str, *, where: str = ".metastore") -> None:
        """Nothing in what is ours is wider than the window."""
        assert not (wide := page.evaluate(_WIDE, where)), f"{name}: wider than the window: {wide}"

    def violations(self, page: Page, where: str) -> list[str]:
        """What axe-core finds, one line each."""
        page.add_script_tag(path=str(self.axe))
        answer: dict[str, Any] = page.evaluate(_RUN, [where, RULES])
        return [
            f"{found['id']}: {found['help']}: {node['html'][:200]}"
            for found in answer["violations"]
            for node in found["nodes"]
        ]
