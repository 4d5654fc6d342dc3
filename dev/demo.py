"""``make demo``: a small city's portal, from nothing to a page, until Ctrl-C."""

import fcntl
import json
import shlex
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from dev.console import Failure, Job, finish, say, tail
from dev.install import install
from dev.paths import DEMO_JSON, DEMOS, LOGS, ROOT, VAR, venv_program
from dev.ports import HOST, choose
from dev.process import Server
from dev.run import Stopped, child, environment, write_private
from dev.services import Plan, running
from dev.services.github import GitHub
from dev.services.postgres import Cluster
from dev.services.redis import Redis
from dev.services.solr import Solr
from dev.state import State


@dataclass(frozen=True)
class Setting:
    """One run of the demo: where its files lie, its addresses, and the stand-in for GitHub where it has one."""

    backend: str
    folder: Path
    ports: Mapping[str, int]
    token: str

    @property
    def url(self) -> str:
        """The portal's address."""
        return f"http://{HOST}:{self.ports['PORT']}"

    @property
    def ini(self) -> Path:
        """CKAN's configuration file."""
        return self.folder / "ckan.ini"

    @property
    def storage(self) -> Path:
        """CKAN's storage path."""
        return self.folder / "storage"

    @property
    def repositories(self) -> Path:
        """The folder of the local repositories."""
        return self.storage / "metastore"

    @property
    def github(self) -> GitHub | None:
        """The stand-in."""
        if self.backend != "github":
            return None
        return GitHub(self.folder / "github", self.ports["GITHUB_PORT"], self.token)

    @property
    def token_key(self) -> Path:
        """The private key that signs tokens."""
        return self.folder / "tokens.pem"

    def ckan(self, *arguments: str) -> list[str]:
        """A call of CKAN's program."""
        return [venv_program("ckan"), "-c", str(self.ini), *arguments]


def demo(backend: str, wanted: Mapping[str, int | None]) -> None:
    """Install, start, load and serve the demo; ends only by a signal, or when one of the servers ends."""
    if backend not in DEMOS:
        raise Failure(f"BACKEND is {backend!r}: it must be {' or '.join(DEMOS)}.")
    if backend != "github":
        wanted = {option: port for option, port in wanted.items() if option != "GITHUB_PORT"}
    with _alone():
        DEMO_JSON.unlink(missing_ok=True)
        ports = choose(wanted)
        install()
        state = State.open(DEMOS[backend])
        setting = Setting(backend, DEMOS[backend], ports, state.github_token)
        plan = _plan(state, setting)
        _write_ini(plan, state, setting)
        _make_keys(setting)
        say(f"Starting PostgreSQL, Redis and Solr{', and the stand-in for GitHub' if setting.github else ''}")
        with running(plan) as services, _hub(setting) as hub:
            _migrate(state, setting)
            with _serving(setting) as ckan:
                _load(setting)
                ckan.wait_until_ready()
                _tell(setting, State.open(setting.folder))
                _watch([ckan, *hub, *services])


@contextmanager
def _alone() -> Iterator[None]:
    """Only one demo runs in a checkout."""
    VAR.mkdir(exist_ok=True)
    with (VAR / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Failure("The demo of this checkout is running already.") from error
        yield


def _plan(state: State, setting: Setting) -> Plan:
    ports = setting.ports
    return Plan(
        cluster=Cluster(state.cluster, ports["PG_PORT"], state.postgres_password),
        redis=Redis(setting.folder / "redis", ports["REDIS_PORT"], state.redis_password),
        solr=Solr(setting.folder / "solr", ports["SOLR_PORT"]),
        logs=LOGS,
        durable=True,
    )


def _write_ini(plan: Plan, state: State, setting: Setting) -> None:
    """Fill in CKAN's configuration; the ports may differ from start to start."""
    backend = setting.backend + (setting.github.options if setting.github else "")
    values = {"secret": state.secret, "url": setting.url, "storage": setting.storage, "backend": backend}
    values["token_key"] = setting.token_key
    template = Template((ROOT / "demo" / "ckan.ini").read_text())
    write_private(setting.ini, template.substitute({**values, **plan.environment}))
    setting.storage.mkdir(exist_ok=True)


def _make_keys(setting: Setting) -> None:
    """Make the keys that sign and prove tokens, once."""
    if not setting.token_key.exists():
        command = [venv_program("metastore"), "keys", "generate", str(setting.token_key)]
        finish(Job("keys", command, LOGS / "keys.log"))


@contextmanager
def _hub(setting: Setting) -> Iterator[list[Server]]:
    """The stand-in for GitHub, where the demo has one."""
    servers = [setting.github.server(LOGS / "github.log")] if setting.github else []
    with ExitStack() as stops:
        for server in servers:
            stops.callback(server.stop)
            server.start()
            server.wait_until_ready()
        yield servers


def _migrate(state: State, setting: Setting) -> None:
    """Bring the database's tables up to date, where a migration was added since the last time."""
    migrations = sorted(path.name for path in (ROOT / "ckanext").glob("*/migration/*/versions/*.py"))
    if state.migrations != migrations:
        finish(Job("tables", setting.ckan("db", "upgrade"), LOGS / "migrate.log"))
        state.migrations = migrations
        state.save()


@contextmanager
def _serving(setting: Setting) -> Iterator[Server]:
    """CKAN's own server."""
    options = ["-H", HOST, "-p", str(setting.ports["PORT"]), "--disable-reloader", "--disable-debugger", "--threaded"]
    server = Server("CKAN", setting.ckan("run", *options), LOGS / "ckan.log", ready=lambda: _answers(setting.url))
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/api/action/status_show", timeout=30) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _load(setting: Setting) -> None:
    """Load the data, once; from then on only the search index, which lies in memory."""
    variables = environment({"CKAN_INI": str(setting.ini)})
    if child([venv_program("python"), "-m", "demo.load", str(setting.folder / "state.json")], variables):
        raise Failure("The data could not be loaded; the next make demo starts anew.")


def _watch(servers: list[Server]) -> None:
    """Wait for the person's Ctrl-C, or for a server that ends by itself."""
    try:
        while not (ended := [server for server in servers if server.ended()]):
            time.sleep(0.5)
    except Stopped:
        say("\nStopping")
        return
    raise Failure(f"{ended[0].title} has ended. {tail(ended[0].log)}")


def _tell(setting: Setting, state: State) -> None:
    """Write var/demo.json, and print what there is to try."""
    write_private(DEMO_JSON, json.dumps(_facts(setting, state), indent=2) + "\n")
    name, identity = state.example
    url, hub = setting.url, setting.github
    words = {
        "url": url,
        "page": f"{url}/dataset/{name}",
        "name": name,
        "password": state.passwords["editor"],
        "token": state.tokens["editor"],
        "ckanapi": shlex.quote(venv_program("ckanapi")),
        "where": f"pushed to GitHub (the API is {hub.access['api_url']})" if hub else "in Git",
        "repository": (
            f"{hub.access['git_url']}/{hub.access['owner']}/{name}.git"
            if hub
            else shlex.quote(f"{setting.repositories}/{identity[:2]}/{identity}.git")
        ),
        "facts": DEMO_JSON,
    }
    say(Template((ROOT / "demo" / "welcome.txt").read_text()).substitute(words))


def _facts(setting: Setting, state: State) -> dict[str, Any]:
    """What a program wants to know that uses the demo."""
    facts = {
        "url": setting.url,
        "backend": setting.backend,
        "organization": state.organization,
        "tokens": state.tokens,
        "passwords": state.passwords,
        "repositories": str(setting.repositories),
        "ini": str(setting.ini),
    }
    if hub := setting.github:
        return {**facts, "github": hub.access}
    return facts


def clean(folders: list[Path]) -> None:
    """Remove what make has made, the demos' databases too."""
    with _alone():
        for folder in DEMOS.values():
            if folder.exists():
                State.open(folder).remove()
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
