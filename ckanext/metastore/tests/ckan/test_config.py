"""Options: read from the file or the environment, checked at the start, asked for in one module only."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ckan.exceptions import CkanConfigurationException
from ckan.tests import factories

import ckanext.metastore
from ckanext.metastore import config


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        (
            "backend",
            "carrier-pigeon",
            "ckanext.metastore.backend: no backend is called 'carrier-pigeon'; there are: git",
        ),
        ("branch", "no good", "ckanext.metastore.branch: "),
        ("author", "nobody", "ckanext.metastore.author: is 'nobody'; it must be one of masked, real, pseudonym"),
        ("dataset_types", [], "ckanext.metastore.dataset_types: is empty"),
        ("lfs_url", "lfs.example.org", "ckanext.metastore.lfs_url: it must be an http(s) address, such as https://"),
        ("lfs_url", "https://me:secret@lfs.example.org", "ckanext.metastore.lfs_url: it must hold no user name"),
        ("path", "/dev/null/metastore", "ckanext.metastore.path: the folder /dev/null/metastore cannot be made"),
    ],
)
def test_a_wrong_option_stops_the_start(portal, ckan_config, monkeypatch, option, value, said):
    monkeypatch.setitem(ckan_config, f"ckanext.metastore.{option}", value)
    with pytest.raises(CkanConfigurationException, match=f"^{re.escape(said)}"):
        config.check()


def test_a_missing_folder_stops_the_start(portal, ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, "ckanext.metastore.path", None)
    monkeypatch.setitem(ckan_config, "ckan.storage_path", None)
    with pytest.raises(CkanConfigurationException, match=r"^ckanext.metastore.path: is not set"):
        config.check()


def test_the_environment_wins(monkeypatch):
    monkeypatch.setenv("CKANEXT__METASTORE__PATH", "/srv/metastore")
    monkeypatch.setenv("CKANEXT__METASTORE__GITHUB__OWNER", "city")
    options = {"ckanext.metastore.path": "/elsewhere"}
    config.read_environment(options)
    assert options == {"ckanext.metastore.path": "/srv/metastore", "ckanext.metastore.github.owner": "city"}


def test_only_one_module_asks_for_options():
    folder = Path(ckanext.metastore.__file__).parent
    modules = (path for path in folder.rglob("*.py") if "tests" not in path.parts)
    asking = {
        path.name
        for path in modules
        if re.search(r"\b(tk|toolkit)\.config\b|ckan\.common import config", path.read_text())
    }
    assert asking == {"config.py"}


@pytest.mark.parametrize(
    ("mode", "shown"), [("real", "editor@example.org"), ("masked", "@users.noreply.test.ckan.net")]
)
def test_how_an_editor_stands_in_a_commit(portal, ckan_config, monkeypatch, act, organization, git, mode, shown):
    monkeypatch.setitem(ckan_config, "ckanext.metastore.author", mode)
    user = factories.Sysadmin(email=f"{mode}-editor@example.org", fullname="Edda Ito")
    made = act("package_create", user=user["name"], name=factories.Dataset.stub().name, owner_org=organization["id"])
    assert git(made["id"])("log", "-1", "--format=%an %ae").startswith("Edda Ito ")
    assert git(made["id"])("log", "-1", "--format=%ae").endswith(shown)


def test_a_pseudonym_tells_neither_name(portal, ckan_config, monkeypatch, act, organization, git, editor):
    monkeypatch.setitem(ckan_config, "ckanext.metastore.author", "pseudonym")
    made = act("package_create", name=factories.Dataset.stub().name, owner_org=organization["id"])
    commit = git(made["id"])("cat-file", "-p", "main")
    assert re.search(
        r"^author editor-[0-9a-f]{12} <editor-[0-9a-f]{12}@users.noreply.test.ckan.net>", commit, re.MULTILINE
    )
    assert editor["name"] not in commit
    assert "Edda" not in commit
