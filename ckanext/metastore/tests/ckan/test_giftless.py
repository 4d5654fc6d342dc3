"""Giftless takes the portal's tokens: files go there and come from there for whom CKAN lets, by ``git lfs`` itself."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jwt
import pytest
from ckan.tests import factories

from ckanext.metastore.authz import generate_private_key
from ckanext.metastore.testing.git import git as run
from ckanext.metastore.tests.ckan.giftless import DOCUMENT, Giftless, giftless
from ckanext.metastore.tests.examples import blocks

TREES = b"species,street\nlime,Mill Lane\n"
SHA256 = hashlib.sha256(TREES).hexdigest()

HEADER = "LFS_AUTHORIZATION"
"""The variable with the header: a token in the command itself could be seen in the list of processes."""

ASK = '!f() { echo username=_jwt; echo "password=$LFS_TOKEN"; }; f'
"""A credential helper that answers with a token, as a person does who is asked for a password."""


@pytest.fixture(scope="module")
def server(keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Giftless]:
    with giftless(tmp_path_factory.mktemp("giftless"), keys.with_name("tokens.pub.pem")) as server:
        yield server


@pytest.fixture
def lfs_url(tokens: None, ckan_config: Any, monkeypatch: pytest.MonkeyPatch, server: Giftless) -> None:
    url = f"{server.url}/{{owner_org}}/{{id}}.git/info/lfs"
    monkeypatch.setitem(ckan_config, "ckanext.metastore.lfs_url", url)


@pytest.fixture
def create(lfs_url: None, act: Callable[..., Any], organization: Any) -> Callable[..., Any]:
    """Create a dataset with the file."""

    def create(private: bool = False, **fields: str) -> Any:
        file = {"name": "Trees", "url": "https://example.org/trees.csv", "hash": f"sha256:{SHA256}", "size": len(TREES)}
        name = factories.Dataset.stub().name
        resources = [{**file, **{field: value.format(name=name) for field, value in fields.items()}}]
        return act("package_create", name=name, owner_org=organization["id"], private=private, resources=resources)

    return create


@pytest.fixture
def dataset(create: Callable[..., Any]) -> Any:
    return create()


@pytest.fixture
def token(act: Callable[..., Any]) -> Callable[..., str]:
    """A token for a dataset's files; the editor's, or another user's."""

    def token(dataset: Any, actions: str, user: str | None = None) -> str:
        scope = f"obj:{dataset['owner_org']}/{dataset['id']}/*:{actions}"
        return act("authz_authorize", user=user, scopes=scope)["token"]

    return token


class Checkout:
    """A clone, and the program ``git`` of somebody who has done ``git lfs install``.

    :param source: the dataset's repository
    :param place: where the clone is to be
    """

    def __init__(self, source: Path, place: Path) -> None:
        self.source = source
        self.place = place
        self.file = place / "data" / "trees.csv"
        self._environment = {"GIT_CONFIG_GLOBAL": str(place.with_suffix(".config"))}
        run("lfs", "install", "--skip-repo", env=self._environment)
        run("config", "--global", "lfs.transfer.maxretries", "1", env=self._environment)

    def clone(self, *options: str, env: Mapping[str, str] | None = None) -> None:
        run(*options, "clone", "--quiet", str(self.source), str(self.place), env={**self._environment, **(env or {})})

    def download(self, token: str | None) -> None:
        """Clone, files and all."""
        self.clone(*self._as_bearer(token), env={HEADER: f"Authorization: Bearer {token}"})

    def upload(self, token: str | None) -> None:
        """Clone without the files, put the one in, and send it to where the repository says."""
        self.clone(env={"GIT_LFS_SKIP_SMUDGE": "1"})
        self.file.write_bytes(TREES)
        run("add", "data", cwd=self.place, env=self._environment)
        assert run("status", "--porcelain", cwd=self.place, env=self._environment) == ""
        push = (*self._as_bearer(token), "lfs", "push", "--object-id", "origin", SHA256)
        run(*push, cwd=self.place, env={**self._environment, HEADER: f"Authorization: Bearer {token}"})

    def _as_bearer(self, token: str | None) -> tuple[str, ...]:
        """Say who one is where files are asked for; not where they are, which has links of its own."""
        config = run("config", "--blob", "HEAD:.lfsconfig", "lfs.url", cwd=self.source).strip()
        return () if token is None else (f"--config-env=http.{config}/objects/batch.extraHeader={HEADER}",)


@pytest.fixture
def checkout(git: Callable[[str], Any], tmp_path: Path) -> Callable[..., Checkout]:
    """Somebody's clone of a dataset."""

    def checkout(dataset: Any, name: str = "checkout") -> Checkout:
        repositories = git(dataset["id"])
        return Checkout(repositories.private if dataset["private"] else repositories.public, tmp_path / name)

    return checkout


def stored(server: Giftless, dataset: Any) -> dict[str, bytes]:
    return server.files(f"{dataset['owner_org']}/{dataset['id']}")


def test_an_editor_uploads_and_a_reader_downloads(dataset, token, checkout, server, reader):
    checkout(dataset, "editor's").upload(token(dataset, "read,write"))
    assert stored(server, dataset) == {SHA256: TREES}
    place = checkout(dataset, "reader's")
    place.download(token(dataset, "read", user=reader["name"]))
    assert place.file.read_bytes() == TREES


def test_as_it_is_documented(dataset, token, git, server, tmp_path):
    """The commands in docs/authorization.rst."""
    cloning, uploading = (block.text for block in blocks(DOCUMENT, "sh") if block.section == "Files in Giftless")
    (tmp_path / "trees.csv").write_bytes(TREES)
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": str(tmp_path / "config"),
        "GIT_LFS_SKIP_SMUDGE": "1",
        "TOKEN": token(dataset, "read,write"),
        "ORGANIZATION_ID": dataset["owner_org"],
        "DATASET_ID": dataset["id"],
        "REPOSITORY": str(git(dataset["id"]).public),
    }

    def shell(script: str) -> None:
        own = script.replace("https://lfs.example.org", server.url)
        subprocess.run(["bash", "-euo", "pipefail", "-c", own], cwd=tmp_path, env=environment, check=True)

    shell("git lfs install --skip-repo")
    shell(f"{cloning}\n{uploading}")
    assert stored(server, dataset) == {SHA256: TREES}
    shutil.rmtree(tmp_path / "street-trees")
    del environment["GIT_LFS_SKIP_SMUDGE"]
    shell(cloning)
    assert (tmp_path / "street-trees" / "data" / "trees.csv").read_bytes() == TREES


def test_a_token_as_a_password(dataset, token, checkout):
    checkout(dataset, "editor's").upload(token(dataset, "write"))
    place = checkout(dataset, "reader's")
    place.clone("-c", f"credential.helper={ASK}", env={"LFS_TOKEN": token(dataset, "read")})
    assert place.file.read_bytes() == TREES


def test_names_as_of_ckanext_blob_storage(create, act, checkout, organization, server, ckan_config, monkeypatch):
    """Its prefix has names, and it asks for tokens with names."""
    monkeypatch.setitem(ckan_config, "ckanext.metastore.lfs_url", f"{server.url}/{{prefix}}")
    dataset = create(lfs_prefix=f"{organization['name']}/{{name}}")
    names = f"{organization['name']}/{dataset['name']}"
    checkout(dataset, "editor's").upload(act("authz_authorize", scopes=f"obj:{names}/*:write")["token"])
    assert server.files(names) == {SHA256: TREES}
    place = checkout(dataset, "reader's")
    place.download(act("authz_authorize", scopes=f"obj:{names}/*:read")["token"])
    assert place.file.read_bytes() == TREES


def test_without_a_token(dataset, token, checkout, server):
    with pytest.raises(AssertionError, match="could not read Username"):
        checkout(dataset, "nobody's").upload(None)
    assert stored(server, dataset) == {}
    checkout(dataset, "editor's").upload(token(dataset, "write"))
    with pytest.raises(AssertionError, match="could not read Username"):
        checkout(dataset, "reader's").download(None)


def test_a_token_for_another_dataset(dataset, create, token, checkout, server):
    other = create()
    with pytest.raises(AssertionError, match="403 Forbidden"):
        checkout(dataset, "stranger's").upload(token(other, "read,write"))
    assert stored(server, dataset) == {}
    checkout(dataset, "editor's").upload(token(dataset, "write"))
    with pytest.raises(AssertionError, match="403 Forbidden"):
        checkout(dataset, "reader's").download(token(other, "read,write"))


def test_a_token_for_reading_does_not_write(dataset, token, checkout, server):
    with pytest.raises(AssertionError, match="403 Forbidden"):
        checkout(dataset).upload(token(dataset, "read"))
    assert stored(server, dataset) == {}


def test_who_may_not_edit_gets_no_token_that_writes(dataset, token, checkout, server, reader):
    with pytest.raises(AssertionError, match="403 Forbidden"):
        checkout(dataset).upload(token(dataset, "read,write", user=reader["name"]))
    assert stored(server, dataset) == {}


def test_the_files_of_a_private_dataset(create, token, checkout, reader):
    dataset = create(private=True)
    checkout(dataset, "editor's").upload(token(dataset, "write"))
    with pytest.raises(AssertionError, match="403 Forbidden"):
        checkout(dataset, "reader's").download(token(dataset, "read", user=reader["name"]))
    place = checkout(dataset, "colleague's")
    place.download(token(dataset, "read"))
    assert place.file.read_bytes() == TREES


def test_a_token_of_another_portal(dataset, token, checkout, server):
    claims = jwt.decode(token(dataset, "read,write"), options={"verify_signature": False})
    forged = jwt.encode(claims, generate_private_key("ES256"), "ES256")
    with pytest.raises(AssertionError, match="401 Unauthorized"):
        checkout(dataset).upload(forged)
    assert stored(server, dataset) == {}
