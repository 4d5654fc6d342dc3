"""The manual, played from beginning to end against a portal: every example gives what it shows."""

from __future__ import annotations

from contextlib import ExitStack
from inspect import isfunction, signature

import pytest
from ckan import plugins
from ckan.common import config_declaration
from freezegun import freeze_time

import ckanext.metastore.backends.github  # noqa: F401  (before the clock is stopped: PyGithub would never get it back)
from ckanext.metastore import config
from ckanext.metastore.logic import schema
from ckanext.metastore.logic.action import actions
from ckanext.metastore.testing.github import StandIn
from ckanext.metastore.tests.ckan import portal as city
from ckanext.metastore.tests.ckan.checks import nothing_waits
from ckanext.metastore.tests.ckan.portal import Metadata, Portal, served
from ckanext.metastore.tests.examples import MANUAL, SERVICE, blocks

OTHER_WAYS = "Other ways to save"


NOT_HERE = ["_pytest", "jwt", "ckanext.metastore.testing.github"]
"""The stand-in has the time of the clock on the wall, and so has PyGithub: freezegun ignores names that begin so."""


@pytest.fixture
def early(tables, activity_table):
    """What is there when the plugin comes."""
    nothing_waits()
    if plugins.plugin_loaded("metastore"):
        plugins.unload("metastore")
    city.people()
    with freeze_time("2026-01-26 09:00:00", ignore=NOT_HERE) as clock:
        city.before_the_plugin(clock)


@pytest.fixture
def readmes_portal(early, portal, app, ckan_config, tmp_path, migrate_db_for):
    """The portal, served. The manual ends by taking the tables away: here they come back."""
    for folder in city.FOLDERS:
        (tmp_path / folder.strip("/")).mkdir(parents=True)
    ckan_config["ckan.storage_path"] = str(tmp_path / "var/lib/ckan")
    ckan_config["ckan.site_url"] = city.URL
    with (
        freeze_time("2026-02-09 09:00:00", ignore=NOT_HERE) as clock,
        served(app.flask_app) as address,
        StandIn(tmp_path / "github") as github,
        ExitStack() as running,
    ):
        metadata = Metadata(tmp_path / "srv/metastore", running)
        yield Portal(address, tmp_path, github, metadata, ckan_config, clock)
    if plugins.plugin_loaded(city.AUTHZ):
        plugins.unload(city.AUTHZ)
    migrate_db_for("metastore")


def _parameters():
    """The parameters of all our actions, and those that we add to CKAN's."""
    public = [make for name, make in vars(schema).items() if isfunction(make) and not name.startswith("_")]
    schemas = [make for make in public if not signature(make).parameters]
    return {parameter for make in schemas for parameter in make()}


def test_every_example_gives_what_it_shows(readmes_portal):
    for path in MANUAL:
        for block in blocks(path, "console", "ini", "bash", "text", "python"):
            if block.section != SERVICE:
                readmes_portal.play(block)
    others = {block.text for path in MANUAL for block in blocks(path) if block.section == OTHER_WAYS}
    assert set(actions()) - readmes_portal.used(actions()) == set(" ".join(others).split())
    assert _parameters() - readmes_portal.used(_parameters()) == set()
    ours = {str(key) for key in config_declaration.iter_options() if str(key).startswith(config.PREFIX)}
    assert readmes_portal.options == ours


# -- what README.rst says in words ----------------------------------------------------------------------------------


def _published(act, dataset):
    return [revision["published"] for revision in act("dataset_revision_list", id=dataset["id"])]


def test_a_folder_that_cannot_be_written(dataset, act, git, repositories):
    shard = repositories / dataset["id"][:2]
    shard.rename(repositories / "away")
    shard.write_text("in the way")
    saved = act("package_patch", id=dataset["id"], title="Meanwhile")
    act("dataset_tag_create", id=dataset["id"], name="v1")
    assert _published(act, dataset) == [False, True]
    assert act("package_show", id=dataset["id"], revision_ref=saved["revision_id"])["title"] == "Meanwhile"
    shard.unlink()
    (repositories / "away").rename(shard)
    act("package_patch", id=dataset["id"], title="Afterwards")
    assert _published(act, dataset) == [True, True, True]
    assert git(dataset["id"])("rev-parse", "v1^{commit}") == saved["revision_id"]


def test_another_branch_waits_for_the_old_one(dataset, act, ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, "ckanext.metastore.branch", "trunk")
    act("package_patch", id=dataset["id"], title="On trunk")
    assert _published(act, dataset) == [False, True]
    monkeypatch.setitem(ckan_config, "ckanext.metastore.branch", "main")
    act("package_patch", id=dataset["id"], title="On main")
    assert _published(act, dataset) == [True, True, True]


def test_without_the_plugin_ckan_and_git_go_on(dataset, act, git):
    plugins.unload("metastore")
    try:
        patched = act("package_patch", id=dataset["id"], title="Without")
        assert patched["title"] == "Without"
        assert "revision_id" not in patched
        git(dataset["id"]).fsck()
    finally:
        plugins.load("metastore")
