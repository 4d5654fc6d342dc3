"""A served portal, Debian's Chromium, and eyes: pictures of each page, and axe-core's opinion of it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ckan.plugins as p
import pytest
from ckan.common import config
from ckan.tests.helpers import _get_test_app
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from ckanext.metastore.model import pulls
from ckanext.metastore.model.pulls import Divergence
from ckanext.metastore.testing.github import StandIn
from ckanext.metastore.tests.browser import themes
from ckanext.metastore.tests.browser.looking import Look
from ckanext.metastore.tests.browser.site import PASSWORD, Site
from ckanext.metastore.tests.ckan.portal import served

ROOT = Path(__file__).resolve().parents[4]
WIDTHS: dict[str, ViewportSize] = {
    "desktop": {"width": 1280, "height": 900},
    "phone": {"width": 390, "height": 844},
    "zoomed": {"width": 640, "height": 450},  # a desktop's window at 200 %
}
ROLES = {"editor": "edda", "reader": "rosa", "sysadmin": "ada"}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
THEME = themes.chosen()
PLUGINS = ["metastore", "activity", "text_view", *THEME["ckan.plugins"]]

GITHUB_TOKEN = "ghp_of_ada"
OPTIONS = {
    **THEME,
    "ckan.plugins": PLUGINS,
    "ckan.site_title": "Open Data Harrowmere",
    "ckan.views.default_views": ["text_view"],
    # Pictures of people would come from elsewhere.
    "ckan.gravatar_default": "disabled",
    "WTF_CSRF_ENABLED": True,
}

Visit = Callable[..., Page]


@pytest.fixture(scope="session")
def site(
    tmp_path_factory: pytest.TempPathFactory, reset_db: Callable[[], None], migrate_db_for: Callable[[str], None]
) -> Iterator[Site]:
    """The portal; one for all tests, which make datasets of their own."""
    options = {**OPTIONS, "ckan.storage_path": str(tmp_path_factory.mktemp("storage"))}
    config.update(options)
    reset_db()
    app = _get_test_app()
    for plugin in ("metastore", "activity"):
        migrate_db_for(plugin)
    with served(app.app) as address:
        options["ckan.site_url"] = address
        config.update(options)
        yield Site(address, app.flask_app, options)
    p.unload(*reversed(PLUGINS))


@pytest.fixture(autouse=True)
def _configured(site: Site) -> None:
    site.configure()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    program = shutil.which("chromium")
    assert program, "there is no Chromium; make install brings it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def _sessions() -> dict[str, Any]:
    return {}


@pytest.fixture
def visit(site: Site, browser: Browser, _sessions: dict[str, Any]) -> Iterator[Visit]:
    """A new window: ``visit("/dataset/trees", role="editor", width="phone", javascript=False)``.

    The width is one of ``WIDTHS``. The role is one of ``ROLES``, or ``anonymous``.
    """
    contexts: list[BrowserContext] = []

    def window(
        address: str, role: str = "anonymous", width: str = "desktop", *, javascript: bool = True, status: int = 200
    ) -> Page:
        if role not in _sessions:
            _sessions[role] = _log_in(browser, site, ROLES[role]) if role in ROLES else None
        context = browser.new_context(
            base_url=site.url,
            viewport=WIDTHS[width],
            has_touch=width == "phone",
            java_script_enabled=javascript,
            storage_state=_sessions[role],
            locale="en-GB",
        )
        context.set_default_timeout(30_000)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        page = context.new_page()
        answer = page.goto(address)
        assert answer.status == status, address
        return page

    yield window
    for context in contexts:
        context.close()


def _log_in(browser: Browser, site: Site, name: str) -> Any:
    """Log in as a person does; gives the session."""
    context = browser.new_context(base_url=site.url)
    page = context.new_page()
    page.goto("/user/login")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Login").click()
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def github(site: Site, tmp_path: Path) -> Iterator[StandIn]:
    """The histories are at a GitHub of our own, and what others commit there is pulled as an editor."""
    with StandIn(tmp_path) as server:
        server.add_user("ada")
        server.add_organization("city", members=["ada"])
        ours = {
            "backend": "github",
            "path": str(tmp_path / "copies"),
            "github.owner": "city",
            "github.token": server.issue_token("ada", secret=GITHUB_TOKEN),
            "github.api_url": server.api_url,
            "github.git_url": server.git_url,
            "pull_user": "ravi",
        }
        with site.configured({f"ckanext.metastore.{name}": value for name, value in ours.items()}):
            yield server


@pytest.fixture
def diverged(site: Site) -> Iterator[dict[str, Any]]:
    """A dataset as a pull leaves it that could not decide."""
    dataset = site.dataset(title="Street trees of CKAN")
    clash = {"path": ["title"], "base": "Street trees", "ours": "Street trees of CKAN", "theirs": "Trees, from Git"}
    pulls.refuse(dataset["id"], Divergence("c0ffee" + "0" * 34, "both have changed title", [clash], int(time.time())))
    yield dataset
    pulls.settle(dataset["id"])


@pytest.fixture(scope="session")
def look() -> Look:
    """Look at a page: ``look(page, "versions-editor-phone")`` takes a picture, and asks axe-core."""
    pictures = Path(os.environ.get("METASTORE_SCREENSHOTS", ROOT / "var/screenshots"))
    return Look(pictures, ROOT / "var/axe/axe.min.js")
