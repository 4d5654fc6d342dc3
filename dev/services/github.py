"""The stand-in for GitHub, with one account, one organization of that account's, and a token."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from dev.paths import venv_program
from dev.ports import HOST
from dev.process import Server

ACCOUNT = "harrowmere-portal"
OWNER = "harrowmere"


@dataclass(frozen=True)
class GitHub:
    """Where all its data lie, the port, and the token that opens it."""

    folder: Path
    port: int
    token: str

    title = "the stand-in for GitHub"

    @property
    def git_url(self) -> str:
        """What stands before the owner and the name in a repository's address."""
        return f"http://{HOST}:{self.port}"

    @property
    def api_url(self) -> str:
        """Where its API is."""
        return f"{self.git_url}/api/v3"

    @property
    def access(self) -> dict[str, str]:
        """What CKAN is told; CKAN's variables in the environment lead it elsewhere, as to github.com."""
        here = {"api_url": self.api_url, "git_url": self.git_url, "owner": OWNER, "token": self.token}
        return {name: os.environ.get(f"CKANEXT__METASTORE__GITHUB__{name.upper()}", here[name]) for name in here}

    @property
    def options(self) -> str:
        """The lines for CKAN's configuration file."""
        return "".join(f"\nckanext.metastore.github.{name} = {value}" for name, value in self.access.items())

    @property
    def facts(self) -> Mapping[str, Mapping[str, str]]:
        """What a program wants to know that uses the demo."""
        return {"github": self.access}

    @property
    def where(self) -> str:
        """Where the demo's histories are."""
        return f"pushed to GitHub (the API is {self.access['api_url']})"

    def repository(self, organization: str, name: str) -> str:  # noqa: ARG002
        """The address of a dataset's repository."""
        return f"{self.access['git_url']}/{self.access['owner']}/{name}.git"

    def server(self, log: Path) -> Server:
        """The server; the token travels in a file, where no process list shows it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "token"
        file.touch(mode=0o600)
        file.write_text(self.token)
        return Server(
            title="GitHub's stand-in",
            command=[
                *(venv_program("python"), "-m", "ckanext.metastore.testing.github"),
                *("--root", str(self.folder), "--host", HOST, "--port", str(self.port)),
                *("--user", ACCOUNT, "--organization", f"{OWNER}:{ACCOUNT}", "--token-file", str(file)),
            ],
            log=log,
            ready=self._is_ready,
        )

    def _is_ready(self) -> bool:
        request = Request(f"{self.api_url}/user", headers={"Authorization": f"token {self.token}"})
        try:
            with urlopen(request, timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False
