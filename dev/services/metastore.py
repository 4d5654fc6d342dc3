"""A metastore service, which takes the portal's tokens and lets everybody read what is public."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from dev.paths import venv_program
from dev.ports import HOST
from dev.process import Server

AUDIENCE = "metastore"


@dataclass(frozen=True)
class Metastore:
    """Where all its data lie, the port, the portal's address, and the public key of the portal's tokens."""

    folder: Path
    port: int
    portal: str
    public_key: Path

    title = "the metastore service"

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{HOST}:{self.port}"

    @property
    def options(self) -> str:
        """The lines for CKAN's configuration file."""
        return f"\nckanext.metastore.service.url = {self.url}\nckanext.authz_service.jwt_audience = {AUDIENCE}"

    @property
    def facts(self) -> Mapping[str, Mapping[str, str]]:
        """What a program wants to know that uses the demo."""
        return {"service": {"url": self.url}}

    @property
    def where(self) -> str:
        """Where the demo's histories are."""
        return f"in a metastore service ({self.url}/docs)"

    def repository(self, organization: str, name: str) -> str:
        """The address of a dataset's repository."""
        return f"{self.url}/{organization}/{name}.git"

    def server(self, log: Path) -> Server:
        """The server."""
        settings = {
            "PATH": str(self.folder),
            "URL": self.url,
            "SERVE_PORT": str(self.port),
            "ANONYMOUS_READ": "true",
            "TOKENS_ISSUER": self.portal,
            "TOKENS_AUDIENCE": AUDIENCE,
            "TOKENS_LIFETIME": "900",
            "TOKENS_PUBLIC_KEY_FILE": str(self.public_key),
        }
        return Server(
            title="The metastore service",
            command=[venv_program("metastore"), "serve"],
            log=log,
            ready=self._is_ready,
            environment={f"METASTORE_{name}": value for name, value in settings.items()},
        )

    def _is_ready(self) -> bool:
        try:
            with urlopen(f"{self.url}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False
