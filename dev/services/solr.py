"""Solr with CKAN's own schema: jars from Maven in a small Jetty, the index in memory."""

import shutil
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from dev.console import Failure
from dev.paths import DEV, SOLR, VENV
from dev.ports import HOST
from dev.process import Server

MEMORY = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


@dataclass(frozen=True)
class Solr:
    """Where its home lies, and the port."""

    home: Path
    port: int

    @property
    def url(self) -> str:
        """The core's address, as CKAN takes it."""
        return f"http://{HOST}:{self.port}/solr/ckan"

    def server(self, log: Path) -> Server:
        """The server, with a freshly made home."""
        self._make_home()
        return Server(
            title="Solr",
            command=[
                *("java", *MEMORY, f"-Dsolr.solr.home={self.home}"),
                *("-cp", f"{SOLR}/lib/*", "SolrServer", str(self.port)),
            ],
            log=log,
            ready=self._is_ready,
        )

    def _make_home(self) -> None:
        core = self.home / "ckan"
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(DEV / "solr" / "conf", core / "conf")
        shutil.copy(_ckan_schema(), core / "conf" / "schema.xml")
        for name in ("synonyms.txt", "protwords.txt"):
            (core / "conf" / name).touch()
        (core / "core.properties").write_text("name=ckan\n")
        (self.home / "solr.xml").write_text("<solr/>\n")

    def _is_ready(self) -> bool:
        try:
            with urlopen(f"{self.url}/select?q=*:*&rows=0", timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, HTTPException, OSError):
            return False


def _ckan_schema() -> Path:
    """The schema that the installed CKAN brings."""
    for path in VENV.glob("lib/python*/site-packages/ckan/config/solr/schema.xml"):
        return path
    raise Failure("CKAN is not installed here: run make install.")
