"""A portal as an operator runs it: CKAN in several processes of gunicorn's, and workers for its job queue."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from string import Template
from urllib.error import URLError
from urllib.request import urlopen

from surroundings import Surroundings, surroundings

from dev.ports import HOST, free
from dev.process import Server
from dev.run import write_private

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
PATHS = {"PYTHONPATH": f"{ROOT}:{ROOT / 'bench'}"}
WORKERS = 2


class Stage:
    """All of it.

    :param publish: ``inline`` or ``background``
    :param processes: those of the web server
    :param threads: those of each
    :ivar folder: where its files lie; the logs are in ``log``
    :ivar local: the local repositories
    :ivar url: the portal's
    """

    def __init__(self, made: Surroundings, publish: str, processes: int, threads: int) -> None:
        self._made, self._publish = made, publish
        self._size = ["--workers", str(processes), "--threads", str(threads)]
        self.folder, self.github = made.folder, made.github
        self.remote = made.remote
        self.database_url = made.addresses["CKAN_SQLALCHEMY_URL"]
        self.local = self.folder / "storage" / "metastore"
        self._port = free()
        self.url = f"http://{HOST}:{self._port}"
        self._write_ini()
        os.environ |= made.variables(publish=publish)
        os.environ["CKAN_INI"] = str(self.folder / "ckan.ini")

    def _write_ini(self) -> None:
        """That of the demo's portal."""
        key = self.folder / "tokens.pem"
        subprocess.run([BIN / "metastore", "keys", "generate", key], check=True, capture_output=True)
        storage = self.folder / "storage"
        storage.mkdir()
        values = {"secret": secrets.token_urlsafe(32), "url": self.url, "storage": storage, "token_key": key}
        services = {**self._made.addresses, "CKAN_SOLR_URL": os.environ["CKAN_SOLR_URL"], "backend": "github"}
        template = Template((ROOT / "demo" / "ckan.ini").read_text())
        write_private(self.folder / "ckan.ini", template.substitute(values | services).replace("INFO", "WARNING"))

    @contextmanager
    def serving(self) -> Iterator[dict[str, list[Server]]]:
        """The servers, by what they are, for as long as the block lasts."""
        web = self._web()
        workers = [self._worker(number) for number in range(WORKERS if self._publish == "background" else 0)]
        with ExitStack() as stops:
            for server in (web, *workers):
                stops.callback(server.stop)
                server.start()
            web.wait_until_ready()
            yield {"web": [web], "jobs": workers}

    def _web(self) -> Server:
        command = [str(BIN / "gunicorn"), "--bind", f"{HOST}:{self._port}"]
        # A connection for each request, as most proxies do it: so the processes share the work.
        command += [*self._size, "--keep-alive", "0", "--timeout", "120", "--no-control-socket"]
        log = self.folder / "log" / "web.log"
        return Server("CKAN", [*command, "load_wsgi"], log, ready=self._answers, environment=PATHS)

    def _worker(self, number: int) -> Server:
        log = self.folder / "log" / f"jobs-{number}.log"
        return Server("a worker", [str(BIN / "ckan"), "jobs", "worker"], log, ready=lambda: True, environment=PATHS)

    def _answers(self) -> bool:
        try:
            with urlopen(f"{self.url}/api/action/status_show", timeout=30) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def logs(self, length: int) -> str:
        """The ends of the servers' logs."""
        logs = sorted((self.folder / "log").glob("*.log"))
        return "\n".join(f"-- {log.name}\n{log.read_text(errors='replace')[-length:]}" for log in logs)


@contextmanager
def stage(publish: str, processes: int, threads: int) -> Iterator[Stage]:
    """A stage for as long as the block lasts."""
    with surroundings("load") as made:
        yield Stage(made, publish, processes, threads)
