"""A Redis server of our own, behind a password: CKAN's job queue lies in it, and jobs are code."""

import json
from dataclasses import dataclass
from pathlib import Path

from dev.ports import HOST, answers
from dev.process import Server


@dataclass(frozen=True)
class Redis:
    """Where its files lie, the port and the password."""

    folder: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        """Its address, as CKAN takes it."""
        return f"redis://:{self.password}@{HOST}:{self.port}/0"

    def server(self, log: Path, durable: bool) -> Server:
        """The server; the password travels in a file, where no process list shows it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = self.folder / "redis.conf"
        settings.touch(mode=0o600)
        folder = json.dumps(str(self.folder), ensure_ascii=False)  # Redis quotes as JSON does
        settings.write_text(
            f"bind {HOST}\nport {self.port}\nrequirepass {self.password}\ndir {folder}\n"
            f"save ''\nappendonly {'yes' if durable else 'no'}\n"
        )
        return Server(
            title="Redis",
            command=["redis-server", str(settings)],
            log=log,
            ready=lambda: answers(self.port),
        )
