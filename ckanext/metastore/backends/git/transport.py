"""The ``git`` program as a child process: what crosses the network does so here, and ends at a deadline.

The child knows no configuration but what it is given, asks nobody, runs no hooks, and speaks HTTP only. The password
reaches it by the environment: it stands in no address, no argument and no file. It is sent with the first request, so
that no other is needed to ask for it, and to no other host.

:see: https://git-scm.com/docs/git-config#Documentation/git-config.txt-httpextraHeader
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ckanext.metastore.core.errors import (
    Conflict,
    Invalid,
    MetastoreError,
    NotFound,
    RateLimited,
    Unauthorized,
    Unavailable,
)

_KEPT = frozenset(
    {"PATH", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO"}
    | {"http_proxy", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"}
)
_GRACE = 5
"""Seconds after its deadline at which a silent child whose parent was killed ends by itself."""

_RETRY_AFTER = 60.0
"""Seconds. The git program does not tell for how long a host asks it to wait."""


class Moved(Conflict):
    """A ref at the host is not what the push expected."""


@dataclass(frozen=True)
class RefUpdate:
    """A ref that is to move from one sha to another.

    :param old: ``None``: there is none yet
    :param new: ``None``: there shall be none
    """

    name: str
    old: str | None
    new: str | None


@dataclass(frozen=True)
class Remote:
    """A repository at a Git host.

    :param url: its address, without any credential
    :param host: the address below which the password may be sent
    :param password: gives the password now; user names mean nothing to those hosts that take tokens
    :param seconds: gives for how long a child may run now
    :param follows: whether a repository that answers under another name is the same one
    """

    url: str
    host: str
    password: Callable[[], str]
    seconds: Callable[[], float]
    follows: bool = True

    def push(self, repository: Path, updates: Sequence[RefUpdate]) -> None:
        """Move refs by compare-and-swap, all or none. Their new objects must be in the repository.

        :raises Moved: one is not what was expected
        :raises Unauthorized: the credentials, or a rule of the host's, forbid it
        """
        leases = [f"--force-with-lease={update.name}:{update.old or ''}" for update in updates]
        refspecs = [f"{update.new or ''}:{update.name}" for update in updates]
        self._run(repository, "push", "--porcelain", "--atomic", "--no-verify", *leases, self.url, *refspecs)

    def fetch(self, repository: Path, refspecs: Sequence[str]) -> None:
        """Bring the repository's refs to what the host has.

        :raises NotFound: there is no such repository, or it is hidden from us
        """
        options = ["--quiet", "--prune", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"]
        self._run(repository, "fetch", *options, self.url, *refspecs)

    def _run(self, repository: Path, *arguments: str) -> None:
        password = self.password()
        secret = b64encode(f"x-access-token:{password}".encode()).decode()
        seconds = self.seconds()
        config = {
            "credential.helper": "",
            f"http.{self.host}/.extraHeader": f"Authorization: Basic {secret}",
            "core.hooksPath": os.devnull,
            "core.fsync": "all",
            "http.followRedirects": "initial" if self.follows else "false",
            "http.lowSpeedLimit": "1",
            "http.lowSpeedTime": str(int(seconds) + _GRACE),
            "gc.auto": "0",
            "transfer.fsckObjects": "true",
            "safe.directory": "*",
        }
        result = run_git(repository, arguments, config, seconds=seconds)
        if result.returncode:
            output = f"{result.stdout}\n{result.stderr}".replace(secret, "***")
            raise _error(self.url, output.replace(password, "***") if password else output)


@dataclass(frozen=True)
class Finished:
    """What a child left."""

    returncode: int
    stdout: str
    stderr: str


def run_git(
    repository: Path,
    arguments: Sequence[str],
    config: Mapping[str, str],
    *,
    seconds: float,
) -> Finished:
    """Run the ``git`` program in a repository.

    :param config: configuration for this run only; no other is read but the repository's own
    :param seconds: after so many it is killed, and all that it has started
    :raises Unavailable: there is no such program, or it was killed
    """
    settings = {"GIT_CONFIG_COUNT": str(len(config))}
    for number, (key, value) in enumerate(config.items()):
        settings |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    quiet = {
        "LC_ALL": "C",
        "HOME": os.devnull,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "GIT_ALLOW_PROTOCOL": "http:https",
    }
    command = ["git", "--git-dir", str(repository), *arguments]
    try:
        child = subprocess.Popen(
            command,
            env={**kept, **quiet, **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise Unavailable(f"cannot run git: {error.strerror}") from error
    started = time.monotonic()
    try:
        out, err = child.communicate(timeout=max(seconds, 0.1))
    except subprocess.TimeoutExpired:
        raise Unavailable(f"the Git host did not answer within {time.monotonic() - started:.0f} s") from None
    finally:
        if child.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
    return Finished(child.returncode, out.decode(errors="replace"), err.decode(errors="replace"))


_MOVED = re.compile(
    r"rejected\] \((?:stale info|fetch first|non-fast-forward|already exists"
    r"|.*failed to (?:lock|update) ref.*|.*cannot lock ref.*|.*reference already exists.*"
    r"|incorrect old value provided|expected ref does not exist)\)"
    r"|^remote: error: cannot lock ref ",
    re.MULTILINE,
)
_REFUSED = re.compile(r"\[remote rejected\] \((?P<why>.+)\)$", re.MULTILINE)
_BROKEN = re.compile(r"unpacker error|internal (?:server )?error|missing necessary objects|transaction", re.IGNORECASE)
"""Refusals that are no judgement: the host cannot, at the moment."""

_STATUS = re.compile(r"(?:returned error: |HTTP )(\d{3})")


def _error(url: str, output: str) -> MetastoreError:
    """Read what the git program says of a failure."""
    said = " ".join(line.removeprefix("remote:").strip() for line in output.splitlines() if line.startswith("remote:"))
    if _MOVED.search(output):
        return Moved("the branch or a tag has moved at the Git host")
    if "unknown Git LFS object" in output:
        return Invalid("resources", f"the Git host knows no such LFS objects: {said}")
    refused = _REFUSED.search(output.replace("[remote rejected] (atomic push failure)", ""))
    if refused and not _BROKEN.search(refused["why"]):
        return Unauthorized(f"the Git host refuses the push: {refused['why']}. {said}".strip())
    status = _STATUS.search(output)
    number = int(status[1]) if status else 0
    if number == 429 or (number == 403 and "rate limit" in said.lower()):
        return RateLimited(f"the Git host asks us to wait: {said}".strip(": "), retry_after=_RETRY_AFTER)
    if number in (301, 307, 308, 404) or re.search(r"^fatal: repository .* not found", output, re.MULTILINE):
        return NotFound("repository", url)
    if number in (401, 403) or "Authentication failed" in output or "could not read Username" in output:
        return Unauthorized(f"the Git host refuses our credentials for {url}. {said}".strip())
    return Unavailable(f"the Git host does not answer as it should: {' '.join(output.split())[-500:]}")
