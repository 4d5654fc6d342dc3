"""What the demo remembers from start to start: its secrets, and what has been loaded."""

import json
import secrets
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path

from dev.run import write_private
from dev.services import postgres

ROLES = ("sysadmin", "editor", "reader")


@dataclass
class State:
    """The file ``state.json``; ``demo/load.py`` adds the last three to it when all is loaded."""

    folder: Path
    cluster: Path
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    postgres_password: str = field(default_factory=lambda: secrets.token_hex(16))
    redis_password: str = field(default_factory=lambda: secrets.token_hex(16))
    github_token: str = field(default_factory=lambda: f"ghp_{secrets.token_hex(18)}")
    host_port: int | None = None
    passwords: dict[str, str] = field(default_factory=lambda: {role: secrets.token_hex(6) for role in ROLES})
    migrations: list[str] = field(default_factory=list)
    organization: str = ""
    example: tuple[str, str] = ("", "")
    tokens: dict[str, str] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path) -> "State":
        """Read it. A demo whose loading did not come to its end is removed, and begun anew."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "state.json"
        if path.exists():
            values = json.loads(path.read_text())
            state = cls(**{**values, "folder": folder, "cluster": Path(values["cluster"])})
            if state.tokens:
                return state
            state.remove()
        state = cls(folder, postgres.home(folder) / f"metastore-demo-{secrets.token_hex(6)}")
        state.remove()
        state.save()
        return state

    def save(self) -> None:
        """Write it, readable only to us."""
        values = {**asdict(self), "folder": str(self.folder), "cluster": str(self.cluster)}
        write_private(self.folder / "state.json", json.dumps(values, indent=2))

    def remove(self) -> None:
        """Remove the demo's data."""
        shutil.rmtree(self.cluster, ignore_errors=True)
        for name in ("storage", "redis", "solr", "github", "service"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        (self.folder / "state.json").unlink(missing_ok=True)
