"""A CKAN with the plugin, on real services, and a repository folder of its own for each test."""

from __future__ import annotations

import json
import logging
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import ckan.plugins as p
import ckantoolkit as tk
import pytest
from ckan import model
from ckan.plugins import core
from ckan.tests import factories, helpers

from ckanext.metastore.backends.git import GitBackend
from ckanext.metastore.cli import metastore
from ckanext.metastore.tests.ckan.checks import Answer, sql
from ckanext.metastore.tests.ckan.city import Api, City, Mint, ref
from ckanext.metastore.tests.ckan.past import before_the_plugin, loggers_kept

Dataset = dict[str, Any]

# What CKAN's factories think up by themselves, they think up again in another process that has the same database.
_OF_USERS = factories.User._meta.base_declarations
_OF_USERS["name"].function = lambda: f"user-{uuid4().hex[:12]}"
_OF_USERS["email"].function = lambda: f"{uuid4().hex}@example.org"


@pytest.fixture(scope="session")
def tables(reset_db: Callable[[], None], migrate_db_for: Callable[[str], None]) -> None:
    """The database as `ckan db init` and `ckan db upgrade -p metastore` leave it; once for the whole run."""
    reset_db()
    p.load("metastore")
    migrate_db_for("metastore")
    p.unload("metastore")


@pytest.fixture(scope="session")
def activity_table(tables: None, migrate_db_for: Callable[[str], None]) -> None:
    """The table of CKAN's activities, as `ckan db upgrade -p activity` leaves it."""
    p.load("activity")
    with loggers_kept():
        migrate_db_for("activity")
    p.unload("activity")


@pytest.fixture
def repositories(tmp_path: Path) -> Path:
    """The folder of the repositories."""
    return tmp_path / "metastore"


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The private key that signs the portal's tokens; its public half is beside it."""
    file = tmp_path_factory.mktemp("keys") / "tokens.pem"
    subprocess.run(["metastore", "keys", "generate", file], check=True, capture_output=True)
    return file


@pytest.fixture
def tokens(portal: None, ckan_config: Any, monkeypatch: pytest.MonkeyPatch, keys: Path) -> None:
    """The portal issues tokens, and takes them. This plugin too stays loaded from test to test."""
    monkeypatch.setitem(ckan_config, "ckanext.authz_service.jwt_private_key_file", str(keys))
    # Whoever makes an app loads the plugins anew.
    monkeypatch.setitem(ckan_config, "ckan.plugins", ["metastore", "metastore_authz"])
    if not p.plugin_loaded("metastore_authz"):
        p.load("metastore_authz")


@pytest.fixture
def bearer(tokens: None, act: Callable[..., Any]) -> Callable[..., dict[str, str]]:
    """The headers of a request that brings a token of the editor's, or of another user's."""

    def headers(*scopes: str, user: str | None = None) -> dict[str, str]:
        answer = act("authz_authorize", user=user, scopes=list(scopes))
        assert answer["granted_scopes"] == list(scopes)
        return {"Authorization": f"Bearer {answer['token']}"}

    return headers


@pytest.fixture(scope="module")
def _cities() -> list[City]:
    return []


@pytest.fixture
def city(tokens: None, _cities: list[City]) -> City:
    """A portal that takes tokens, and its people; one for all tests of a module, which keeps its folder too."""
    if not _cities:
        _cities.append(City())
    return _cities[0]


@pytest.fixture
def mint(tokens: None, keys: Path) -> Mint:
    """Tokens made by hand, with the portal's key."""
    return Mint(keys)


@pytest.fixture
def api(tokens: None, app: Any, ckan_config: Any, monkeypatch: pytest.MonkeyPatch) -> Api:
    """The action API, where sessions count too."""
    monkeypatch.setitem(ckan_config, "ckan.auth.enable_cookie_auth_in_api", True)
    return Api(app)


@pytest.fixture
def claims(city: City, mint: Mint) -> dict[str, Any]:
    """The claims of a token that is good for all that ``tried`` does."""
    return mint.claims(city.edda, f"ds:{ref(city.parks, city.hidden)}:read,tag")


@pytest.fixture
def tried(city: City, api: Api, caplog: pytest.LogCaptureFixture) -> Callable[..., int]:
    """Bring a token to a private dataset; gives the status. Whatever else is not as it has to be fails here."""

    def bring(token: str, header: str = "Bearer {}") -> int:
        headers = {"Authorization": header.format(token)}
        caplog.clear()
        seen = api("package_show", {"id": city.hidden["id"]}, headers, get=True)
        written = api("dataset_tag_create", {"id": city.hidden["id"], "name": "v9"}, headers)
        assert seen.status_code == written.status_code, (seen.json, written.json)
        errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
        assert not errors
        for answer in (seen, written):
            assert answer.cache_control.private
            if answer.status_code == 401:
                error = {"__type": "Authorization Error", "message": "Access denied: this token is not valid here"}
                assert (answer.json["error"], set(answer.json)) == (error, {"success", "error", "help"})
                assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
            elif answer.status_code == 403:
                assert answer.json["error"]["message"].startswith("Access denied: This token does not allow ")
                assert set(answer.json) == {"success", "error", "help"}
        tags = city.call("dataset_tag_list", id=city.hidden["id"])
        # Two of one second come in the order of their names.
        assert {tag["name"] for tag in tags} == ({"v9", "v1"} if written.status_code == 200 else {"v1"})
        if written.status_code == 200:
            city.call("dataset_tag_delete", id=city.hidden["id"], tag="v9")
        return seen.status_code

    return bring


@pytest.fixture
def portal(tables: None, _own_folder: None) -> None:
    """A portal with the plugin on. Nothing is cleaned up: each test makes what it needs, under names of its own.

    The plugin stays loaded from test to test: to load it takes longer than most tests.
    """
    if not p.plugin_loaded("metastore"):
        p.load("metastore")


if not tk.check_ckan_version(min_version="2.12.0a0"):

    @pytest.fixture
    def provide_plugin(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, type], None]:
        """Let CKAN find a plugin by name without an entry point: a fixture that CKAN itself has since 2.12."""
        classes: dict[str, type] = {}
        find = core._get_service
        monkeypatch.setattr(core, "_get_service", lambda name: classes[name]() if name in classes else find(name))
        return classes.__setitem__


@pytest.fixture
def load(portal: None, provide_plugin: Callable[[str, type], Any]) -> Iterator[Callable[[type], Any]]:
    """Load a test's own plugin after ours; it is unloaded when the test ends."""
    loaded = []

    def one(plugin: type) -> Any:
        provide_plugin(plugin.__name__, plugin)
        loaded.append(plugin.__name__)
        return p.load(plugin.__name__)

    yield one
    p.unload(*loaded)


@pytest.fixture(autouse=True)
def _own_folder(
    request: pytest.FixtureRequest, ckan_config: Any, monkeypatch: pytest.MonkeyPatch, repositories: Path
) -> None:
    monkeypatch.setitem(ckan_config, "ckanext.metastore.path", str(repositories))
    # It would stop the next plugin's start: its key is for the tests that ask for tokens.
    if p.plugin_loaded("metastore_authz") and "tokens" not in request.fixturenames:
        p.unload("metastore_authz")


@pytest.fixture
def editor(portal: None) -> Dataset:
    """An account that edits the datasets of an organization."""
    return factories.User(fullname="Edda Ito")


@pytest.fixture
def reader(portal: None) -> Dataset:
    """An account that may edit nothing."""
    return factories.User()


@pytest.fixture
def organization(editor: Dataset) -> Dataset:
    """The editor's organization."""
    return factories.Organization(users=[{"name": editor["name"], "capacity": "editor"}])


@pytest.fixture
def act(editor: Dataset) -> Callable[..., Any]:
    """Call an action as the editor, with all of CKAN's access checks."""

    def call(action: str, user: str | None = None, **params: Any) -> Any:
        context = {"user": editor["name"] if user is None else user, "ignore_auth": False}
        return helpers.call_action(action, context, **params)

    return call


@pytest.fixture
def dataset(act: Callable[..., Any], organization: Dataset) -> Dataset:
    """A public dataset of the editor's with one resource and one revision."""
    resource = {"name": "Street trees 2024", "url": "https://example.org/trees.csv", "format": "CSV"}
    return act(
        "package_create",
        name=factories.Dataset.stub().name,
        title="Street trees",
        notes="Every tree that the city waters.",
        owner_org=organization["id"],
        resources=[resource],
        extras=[{"key": "district", "value": "Old town"}],
        tags=[{"name": "trees"}],
        revision_message="First survey",
    )


class Git:
    """The git program, on one dataset's repositories."""

    def __init__(self, repositories: Path, dataset_id: str) -> None:
        backend = GitBackend(repositories)
        self.public = Path(backend.repository_path(dataset_id))
        self.private = Path(backend.repository_path(dataset_id, public=False))

    def __call__(self, *arguments: str, private: bool = False) -> str:
        folder = self.private if private else self.public
        command = ["git", "-c", "safe.directory=*", "-C", str(folder), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def fsck(self) -> None:
        for folder in (self.public, self.private):
            if folder.exists():
                self("fsck", "--strict", "--full", private=folder == self.private)


@pytest.fixture
def git(repositories: Path) -> Callable[[str], Git]:
    """Run git on a dataset's repositories: ``git(dataset_id)("log")``."""
    return lambda dataset_id: Git(repositories, dataset_id)


@pytest.fixture
def rows(portal: None) -> Callable[[str], list[Any]]:
    """A dataset's rows in ``metastore_revision``, oldest first."""
    from ckanext.metastore.model.tables import revision_table

    def read(dataset_id: str) -> list[Any]:
        query = revision_table.select().where(revision_table.c.dataset_id == dataset_id)
        return list(model.Session.execute(query.order_by(revision_table.c.seq)).all())

    return read


@pytest.fixture
def check(portal: None, cli: Any) -> Callable[..., Answer]:
    """Run the command, on datasets that are named, so thoroughly: ``check(dataset_id, "--fix")``."""

    def run(dataset_id: str, *arguments: str) -> Answer:
        result = cli.invoke(metastore, ["check", "--json", dataset_id, *arguments])
        assert result.exit_code in (0, 1), result.output
        told = json.loads(result.stdout)
        assert result.exit_code == (1 if told["found"] else 0)
        return Answer(result.exit_code, told["found"], told["failed"])

    return run


@pytest.fixture
def unmarked() -> Callable[[str], Any]:
    """For the length of a block, a revision is published and nobody has noted it. It can wait for nobody else."""

    @contextmanager
    def run(sha: str) -> Iterator[None]:
        sql("UPDATE metastore_revision SET published = false, objects = ''::bytea WHERE sha = :sha", sha=sha)
        yield
        sql("UPDATE metastore_revision SET published = true, objects = NULL WHERE sha = :sha", sha=sha)

    return run


@pytest.fixture
def glance(portal: None) -> Callable[..., list[str]]:
    """The kinds that a check of the whole portal finds at a glance, as if these were all datasets."""
    from ckanext.metastore import checking

    def run(*dataset_ids: str, fix: bool = False) -> list[str]:
        how = checking.Check(complete=True)
        found = how.find(dataset_ids)
        return [finding.kind for finding in (checking.mend(how, found)[0] if fix else found)]

    return run


@pytest.fixture
def before(act: Callable[..., Any], organization: Dataset) -> Callable[..., list[str]]:
    """Make datasets as they are before the plugin comes; gives their ids."""

    def make(count: int = 1, **params: Any) -> list[str]:
        given = {"title": "Bus stops", "owner_org": organization["id"], **params}
        with before_the_plugin():
            return [
                act("package_create", **{"name": factories.Dataset.stub().name, **given})["id"] for _ in range(count)
            ]

    return make


@pytest.fixture
def backfill(cli: Any) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Run the command; gives the exit status and what it tells."""

    def run(*arguments: str) -> tuple[int, dict[str, Any]]:
        result = cli.invoke(metastore, ["backfill", "--json", *arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result.exit_code, json.loads(result.stdout)

    return run
