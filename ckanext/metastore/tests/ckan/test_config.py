"""Options: read from the file or the environment, checked at the start, asked for in one module only."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ckan.exceptions import CkanConfigurationException
from ckan.tests import factories
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

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


TOKEN = "ghp_0123456789abcdefghijklmnopqrstuvwxyz"
BY_TOKEN = {"backend": "github", "github.owner": "city", "github.token": TOKEN}
BY_APP = {
    "backend": "github",
    "github.owner": "city",
    "github.app_id": "123456",
    "github.app_private_key_file": "/dev/null",
    "github.app_installation_id": "7890123",
}


def _refusal(ckan_config, monkeypatch, options):
    """What is said when the start is stopped."""
    for name, value in options.items():
        monkeypatch.setitem(ckan_config, f"ckanext.metastore.{name}", value)
    with pytest.raises(CkanConfigurationException) as refusal:
        config.check()
    return str(refusal.value)


@pytest.mark.parametrize("value", [0, -1, "0", "-2.5", "soon", "", None, "nan", "inf"])
@pytest.mark.parametrize("backend", [{"backend": "git"}, BY_TOKEN])
def test_a_wrong_timeout_stops_the_start(portal, ckan_config, monkeypatch, backend, value):
    said = _refusal(ckan_config, monkeypatch, {**backend, "publish_timeout": value})
    assert said == f"ckanext.metastore.publish_timeout: is {value!r}; it must be a number of seconds above 0"


@pytest.mark.parametrize("backend", [{"backend": "git"}, BY_TOKEN])
def test_a_wrong_way_to_publish_stops_the_start(portal, ckan_config, monkeypatch, backend):
    said = _refusal(ckan_config, monkeypatch, {**backend, "publish": "sometime"})
    assert said == "ckanext.metastore.publish: is 'sometime'; it must be one of inline, background"


@pytest.mark.parametrize("backend", [{"backend": "git"}, BY_TOKEN])
def test_a_wrong_purge_stops_the_start(portal, ckan_config, monkeypatch, backend):
    said = _refusal(ckan_config, monkeypatch, {**backend, "purge": "keep"})
    assert said == "ckanext.metastore.purge: is 'keep'; it must be one of delete, archive"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {**BY_TOKEN, "github.owner": None},
            "github.owner: is missing: name who owns the repositories at GitHub",
        ),
        (
            {**BY_TOKEN, "github.token": None},
            "github.token: is missing, and so is a GitHub App: give one of the two",
        ),
        (
            {**BY_TOKEN, "github.app_id": "123456"},
            "github.token: is given beside a GitHub App: leave one of the two out",
        ),
        ({**BY_APP, "github.app_id": None}, "github.app_id: is missing"),
        ({**BY_APP, "github.app_private_key_file": None}, "github.app_private_key_file: is missing"),
        ({**BY_APP, "github.app_installation_id": None}, "github.app_installation_id: is missing"),
        (
            {**BY_APP, "github.app_private_key_file": "/nowhere/key.pem"},
            "github.app_private_key_file: it cannot be read",
        ),
        ({**BY_APP, "github.app_private_key_file": "/"}, "github.app_private_key_file: it cannot be read"),
        (BY_APP, "github.app_private_key_file: holds no private RSA key in PEM form"),
        ({**BY_APP, "github.app_installation_id": TOKEN}, "github.app_installation_id: must be a number"),
        *(
            (
                {**BY_TOKEN, f"github.{name}": value},
                f"github.{name}: must be an http or https address, such as https://",
            )
            for name in ("api_url", "git_url")
            for value in (TOKEN, "github.example.org/api/v3", "ftp://github.example.org", "https://", "https://[x")
        ),
        *(
            (
                {**BY_TOKEN, f"github.{name}": f"{scheme}{TOKEN}@github.example.org"},
                f"github.{name}: must not hold a user",
            )
            for name in ("api_url", "git_url")
            for scheme in ("https://", "ada:")
        ),
        *(
            ({**BY_TOKEN, "github.owners": value}, f"github.owners: {entry!r} is not of the form organization=owner")
            for value, entry in [(["parks"], "parks"), (["transport=city", "parks="], "parks"), ("=city", "city")]
        ),
    ],
)
def test_a_wrong_option_of_github_stops_the_start(portal, ckan_config, monkeypatch, options, said):
    refusal = _refusal(ckan_config, monkeypatch, options)
    assert refusal.startswith(f"ckanext.metastore.{said}")
    assert TOKEN not in refusal


def test_a_whole_github_starts_and_asks_nobody(portal, ckan_config, monkeypatch, tmp_path):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    file = tmp_path / "app.pem"
    file.write_bytes(pem)
    nobody = {"github.api_url": "http://127.0.0.1:1/api/v3", "github.git_url": "http://127.0.0.1:1"}
    owners = {"github.owners": ["parks=city-parks"]}
    for way in (BY_TOKEN, {**BY_APP, "github.token": None, "github.app_private_key_file": str(file)}):
        for name, value in {**way, **nobody, **owners}.items():
            monkeypatch.setitem(ckan_config, f"ckanext.metastore.{name}", value)
        config.check()
        for name in way:
            monkeypatch.delitem(ckan_config, f"ckanext.metastore.{name}")
    assert config.github_owners() == {"parks": "city-parks"}


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
    assert asking == {"options.py"}


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
