"""``make demo``: a small city's portal, from nothing to a page, until Ctrl-C."""

import fcntl
import json
import shlex
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from string import Template
from urllib.error import URLError
from urllib.request import urlopen

from dev.console import Failure, Job, finish, say, tail
from dev.install import install
from dev.paths import DEMO, DEMO_JSON, LOGS, ROOT, venv_program
from dev.ports import HOST, choose
from dev.process import Server
from dev.run import Stopped, child, environment, write_private
from dev.services import Plan, running
from dev.services.postgres import Cluster
from dev.services.redis import Redis
from dev.services.solr import Solr
from dev.state import State

INI = DEMO / "ckan.ini"
STORAGE = DEMO / "storage"
REPOSITORIES = STORAGE / "metastore"


def demo(wanted: Mapping[str, int | None]) -> None:
    """Install, start, load and serve the demo; ends only by a signal, or when one of the servers ends."""
    with _alone():
        DEMO_JSON.unlink(missing_ok=True)
        ports = choose(wanted)
        install()
        state = State.open(DEMO)
        plan = _plan(state, ports)
        url = f"http://{HOST}:{ports['PORT']}"
        _write_ini(plan, state, url)
        say("Starting PostgreSQL, Redis and Solr")
        with running(plan) as services:
            _migrate(state)
            with _serving(url, ports["PORT"]) as ckan:
                _load()
                ckan.wait_until_ready()
                _tell(url, State.open(DEMO))
                _watch([ckan, *services])


@contextmanager
def _alone() -> Iterator[None]:
    """Only one demo runs in a checkout."""
    DEMO.mkdir(parents=True, exist_ok=True)
    with (DEMO / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Failure("The demo of this checkout is running already.") from error
        yield


def _plan(state: State, ports: Mapping[str, int]) -> Plan:
    return Plan(
        cluster=Cluster(state.cluster, ports["PG_PORT"], state.postgres_password),
        redis=Redis(DEMO / "redis", ports["REDIS_PORT"], state.redis_password),
        solr=Solr(DEMO / "solr", ports["SOLR_PORT"]),
        logs=LOGS,
        durable=True,
    )


def _write_ini(plan: Plan, state: State, url: str) -> None:
    """Fill in CKAN's configuration; the ports may differ from start to start."""
    values = {"secret": state.secret, "url": url, "storage": STORAGE, **plan.environment}
    write_private(INI, Template((ROOT / "demo" / "ckan.ini").read_text()).substitute(values))
    STORAGE.mkdir(exist_ok=True)


def _migrate(state: State) -> None:
    """Bring the database's tables up to date, where a migration was added since the last time."""
    migrations = sorted(path.name for path in (ROOT / "ckanext").glob("*/migration/*/versions/*.py"))
    if state.migrations != migrations:
        finish(Job("tables", [*_ckan(), "db", "upgrade"], LOGS / "migrate.log"))
        state.migrations = migrations
        state.save()


def _ckan() -> list[str]:
    return [venv_program("ckan"), "-c", str(INI)]


@contextmanager
def _serving(url: str, port: int) -> Iterator[Server]:
    """CKAN's own server."""
    options = ["-H", HOST, "-p", str(port), "--disable-reloader", "--disable-debugger", "--threaded"]
    server = Server("CKAN", [*_ckan(), "run", *options], LOGS / "ckan.log", ready=lambda: _answers(url))
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


def _load() -> None:
    """Load the data, once; from then on only the search index, which lies in memory."""
    variables = environment({"CKAN_INI": str(INI)})
    if child([venv_program("python"), "-m", "demo.load", str(DEMO / "state.json")], variables):
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


def _tell(url: str, state: State) -> None:
    """Write var/demo.json, and print what there is to try."""
    facts = {
        "url": url,
        "organization": state.organization,
        "tokens": state.tokens,
        "passwords": state.passwords,
        "repositories": str(REPOSITORIES),
        "ini": str(INI),
    }
    write_private(DEMO_JSON, json.dumps(facts, indent=2) + "\n")
    name, identity = state.example
    words = {
        "url": url,
        "page": f"{url}/dataset/{name}",
        "name": name,
        "password": state.passwords["editor"],
        "token": state.tokens["editor"],
        "ckanapi": shlex.quote(venv_program("ckanapi")),
        "repository": shlex.quote(f"{REPOSITORIES}/{identity[:2]}/{identity}.git"),
        "facts": DEMO_JSON,
    }
    say(Template((ROOT / "demo" / "welcome.txt").read_text()).substitute(words))


def clean(folders: list[Path]) -> None:
    """Remove what make has made, the demo's database too."""
    with _alone():
        State.open(DEMO).remove()
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
