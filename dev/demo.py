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
from dev.ports import HOST, choose, still
from dev.process import Server
from dev.run import Stopped, child, environment, write_private
from dev.services import Plan, running
from dev.services.github import GitHub
from dev.services.metastore import Metastore
from dev.services.postgres import Cluster
from dev.services.redis import Redis
from dev.services.solr import Solr
from dev.state import State

HOST_PORTS = {"github": "GITHUB_PORT", "service": "SERVICE_PORT"}
"""The option with the port of the Git host, for those backends that have one."""


@dataclass(frozen=True)
class Setting:
    """One run of the demo: where its files lie, its addresses, and the Git host where it has one."""

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
    def host(self) -> GitHub | Metastore | None:
        """The Git host."""
        if self.backend not in HOST_PORTS:
            return None
        folder, port = self.folder / self.backend, self.ports[HOST_PORTS[self.backend]]
        if self.backend == "github":
            return GitHub(folder, port, self.token)
        return Metastore(folder, port, self.url, self.token_key.with_suffix(".pub.pem"))

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
    with _alone():
        DEMO_JSON.unlink(missing_ok=True)
        state = State.open(DEMOS[backend])
        ports = choose(_wanted(backend, wanted, state))
        install()
        state.host_port = ports.get(HOST_PORTS.get(backend, ""))
        state.save()
        setting = Setting(backend, DEMOS[backend], ports, state.github_token)
        plan = _plan(state, setting)
        _write_ini(plan, state, setting)
        _make_keys(setting)
        say(f"Starting PostgreSQL, Redis and Solr{f', and {setting.host.title}' if setting.host else ''}")
        with running(plan) as services, _host(setting) as host:
            _migrate(state, setting)
            with _serving(setting) as ckan:
                _load(setting)
                ckan.wait_until_ready()
                _tell(setting, State.open(setting.folder))
                _watch([ckan, *host, *services])


def _wanted(backend: str, wanted: Mapping[str, int | None], state: State) -> dict[str, int | None]:
    """The ports that are asked for. The Git host keeps its own from start to start: repositories are known by it."""
    mine = HOST_PORTS.get(backend)
    asked = {option: port for option, port in wanted.items() if option not in HOST_PORTS.values() or option == mine}
    return {**asked, mine: asked[mine] or still(state.host_port)} if mine else asked


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
    backend = setting.backend + (setting.host.options if setting.host else "")
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
def _host(setting: Setting) -> Iterator[list[Server]]:
    """The Git host, where the demo has one."""
    servers = [setting.host.server(LOGS / f"{setting.backend}.log")] if setting.host else []
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
    url, host = setting.url, setting.host
    words = {
        "url": url,
        "page": f"{url}/dataset/{name}",
        "name": name,
        "password": state.passwords["editor"],
        "token": state.tokens["editor"],
        "ckanapi": shlex.quote(venv_program("ckanapi")),
        "where": host.where if host else "in Git",
        "repository": (
            host.repository(state.organization, name)
            if host
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
    return {**facts, **(setting.host.facts if setting.host else {})}


def clean(folders: list[Path]) -> None:
    """Remove what make has made, the demos' databases too."""
    with _alone():
        for folder in DEMOS.values():
            if folder.exists():
                State.open(folder).remove()
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
