"""A PostgreSQL cluster of our own, with one database and one role, both named ``ckan``.

PostgreSQL refuses to run as root. Where root starts it, it runs as Debian's ``postgres`` user, and the data lie
in that user's home, because the checkout may be in a folder that only root can enter.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dev.console import Failure
from dev.ports import HOST
from dev.process import Server, as_user

NAME = "ckan"
DEBIAN_HOME = Path("/var/lib/postgresql")
THROWAWAY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def home(otherwise: Path) -> Path:
    """The folder in which clusters can lie."""
    return DEBIAN_HOME if os.geteuid() == 0 else otherwise


@dataclass(frozen=True)
class Cluster:
    """Where the data lie, the port, and the password that opens them."""

    data: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        """The database's address, as SQLAlchemy takes it."""
        return f"postgresql://{NAME}:{self.password}@{HOST}:{self.port}/{NAME}"

    def create(self) -> None:
        """Make the cluster and its database, unless they are there."""
        done = self.data / "created"
        if done.exists():
            return
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700, parents=True)
        secret = self.data.with_suffix(".password")
        secret.touch(mode=0o600)
        secret.write_text(self.password)
        if user := _system_user():
            shutil.chown(self.data, user)
            shutil.chown(secret, user)
        options = [
            "--auth=scram-sha-256",
            f"--pwfile={secret}",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        ]
        _run(["initdb", "--pgdata", str(self.data), "--username", NAME, *options])
        _run(["postgres", "--single", "-D", str(self.data), "postgres"], f"CREATE DATABASE {NAME}")
        secret.unlink()
        done.touch()

    def server(self, log: Path, settings: Iterable[str] = ()) -> Server:
        """The server of this cluster; only loopback reaches it."""
        settings = (f"listen_addresses={HOST}", "unix_socket_directories=", *settings)
        return Server(
            title="PostgreSQL",
            command=[
                *(_program("postgres"), "-D", str(self.data), "-p", str(self.port)),
                *(word for setting in settings for word in ("-c", setting)),
            ],
            log=log,
            ready=self._is_ready,
            user=_system_user(),
            stop_signal=signal.SIGINT,  # its "fast shutdown": a SIGTERM would wait for every client
        )

    def _is_ready(self) -> bool:
        command = [_program("pg_isready"), "-q", "-h", HOST, "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0


def _system_user() -> str | None:
    """Who runs PostgreSQL, if not we ourselves."""
    return "postgres" if os.geteuid() == 0 else None


def program(name: str) -> str | None:
    """The newest version of one of PostgreSQL's programs; Debian keeps most of them off the PATH."""
    versions = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    newest = max(versions, key=lambda path: float(path.parts[4]), default=None)
    return str(newest) if newest else shutil.which(name)


def _program(name: str) -> str:
    if path := program(name):
        return path
    raise Failure(f"PostgreSQL's program {name} is missing: run make install.")


def _run(command: list[str], text: str = "") -> None:
    """Run one of PostgreSQL's programs as the user that the data belong to."""
    command = as_user(_system_user(), [_program(command[0]), *command[1:]])
    done = subprocess.run(command, input=text, capture_output=True, text=True, cwd="/", check=False)
    if done.returncode:
        raise Failure(f"PostgreSQL's {' '.join(command)} failed: {done.stderr or done.stdout}")
