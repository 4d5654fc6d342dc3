"""The ``git`` program as a child process: what crosses the network does so here, and ends at a deadline.

The child knows no configuration but what it is given, asks nobody, runs no hooks, and speaks HTTP only. The password
reaches it by an environment variable: it stands in no address, no argument and no file.

By itself Git sends a password only when it is asked for one, which costs a request each time. So it is given a header
that all its requests have, bound to the host's address. It would keep that header after a redirect, wherever that
leads; so it may follow none. Where a repository has another name now, we look whether that is at the same host.

:see: https://git-scm.com/docs/git-config#Documentation/git-config.txt-httpextraHeader
"""

from __future__ import annotations

import base64
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urljoin

from ckanext.metastore.core.errors import (
    Conflict,
    Invalid,
    MetastoreError,
    NotFound,
    RateLimited,
    Unauthorized,
    Unavailable,
)

_USER = "x-access-token"
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
    :param follows: whether a repository that the host leads to under another name is the same one
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
        self._run(repository, ["push", "--porcelain", "--atomic", "--no-verify", *leases], refspecs)

    def fetch(self, repository: Path, refspecs: Sequence[str]) -> None:
        """Bring the repository's refs to what the host has.

        :raises NotFound: there is no such repository, or it is hidden from us
        """
        options = ["--quiet", "--prune", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"]
        self._run(repository, ["fetch", *options], refspecs)

    def refs(self, repository: Path) -> dict[str, str]:
        """Ask for the branches and tags that the host has, and the shas of the commits that they lead to.

        :param repository: where the program runs; need not be there
        :raises NotFound: there is no such repository, or it is hidden from us
        """
        found: dict[str, str] = {}
        for line in self._run(repository, ["ls-remote"], ["refs/heads/*", "refs/tags/*"]).splitlines():
            sha, _, name = line.partition("\t")
            found[name.removesuffix("^{}")] = sha  # what an annotated tag leads to comes after it
        return found

    def _run(self, repository: Path, command: Sequence[str], refspecs: Sequence[str]) -> str:
        password = self.password()
        basic = base64.b64encode(f"{_USER}:{password}".encode()).decode()
        result = self._try(repository, [*command, self.url, *refspecs], basic)
        if not result.returncode:
            return result.stdout
        if self.follows and _REDIRECTED.search(result.stderr) and (url := self._other_name(repository, basic)):
            return replace(self, url=url, follows=False)._run(repository, command, refspecs)
        output = f"{result.stdout}\n{result.stderr}"
        for secret in filter(None, (password, basic)):
            output = output.replace(secret, "***")
        raise _error(self.url, output)

    def _other_name(self, repository: Path, basic: str) -> str | None:
        """Give the address that the host leads to; ``None`` where it leads to another host."""
        traced = self._try(repository, ["ls-remote", self.url], basic, {"GIT_TRACE_CURL": "1"})
        found = _LOCATION.search(traced.stderr)
        url = urljoin(self.url, found["url"]) if found else ""
        return url if url.lower().startswith(f"{self.host}/".lower()) else None

    def _try(
        self, repository: Path, arguments: Sequence[str], basic: str, trace: Mapping[str, str] | None = None
    ) -> Finished:
        seconds = self.seconds()
        config = {
            f"http.{self.host}.extraHeader": f"Authorization: Basic {basic}",
            "http.followRedirects": "false",
            "http.lowSpeedLimit": "1",
            "http.lowSpeedTime": str(int(seconds) + _GRACE),
            "credential.helper": "",
            "core.hooksPath": os.devnull,
            "core.fsync": "all",
            "gc.auto": "0",
            "protocol.version": "0",  # the refs come with the first answer: one request less
            "transfer.fsckObjects": "true",
            "safe.directory": "*",
        }
        return run_git(repository, arguments, config, seconds=seconds, environment=trace)


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
    environment: Mapping[str, str] | None = None,
    stdin: str = "",
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
        "GIT_ASKPASS": "",  # not even for nothing: that would be one more request
        "GIT_ALLOW_PROTOCOL": "http:https",
    }
    command = ["git", "--git-dir", str(repository), *arguments]
    try:
        child = subprocess.Popen(
            command,
            env={**kept, **quiet, **settings, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise Unavailable(f"cannot run git: {error.strerror}") from error
    started = time.monotonic()
    try:
        out, err = child.communicate(stdin.encode(), timeout=max(seconds, 0.1))
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

_HARMFUL = re.compile(r"^(?:error|fatal): (?P<why>object [0-9a-f]{40}: \w+: .*)$", re.MULTILINE)
"""What a fetch says of objects that it does not take in."""

_REDIRECTED = re.compile(r"(?:returned error: |HTTP )30[12378]\b")
_LOCATION = re.compile(r"Recv header: location: (?P<url>\S+)/info/refs\?", re.IGNORECASE)
_STATUS = re.compile(r"(?:returned error: |HTTP )(\d{3})")


def _error(url: str, output: str) -> MetastoreError:
    """Read what the git program says of a failure."""
    said = " ".join(line.removeprefix("remote:").strip() for line in output.splitlines() if line.startswith("remote:"))
    if _MOVED.search(output):
        return Moved("the branch or a tag has moved at the Git host")
    if "unknown Git LFS object" in output:
        return Invalid("resources", f"the Git host knows no such LFS objects: {said}")
    if broken := _HARMFUL.search(output):
        return Invalid("repository", f"the Git host holds an object that Git calls broken: {broken['why']}")
    refused = _REFUSED.search(output.replace("[remote rejected] (atomic push failure)", ""))
    if refused and not (_BROKEN.search(refused["why"]) or said.startswith("error: internal error")):
        return Unauthorized(f"the Git host refuses the push: {refused['why']}. {said}".strip())
    status = _STATUS.search(output)
    number = int(status[1]) if status else 0
    if number == 429 or (number == 403 and "rate limit" in said.lower()):
        return RateLimited(f"the Git host asks us to wait: {said}".strip(": "), retry_after=_RETRY_AFTER)
    if number in (301, 307, 308, 404) or re.search(r"^fatal: repository .* not found", output, re.MULTILINE):
        return NotFound("repository", url)
    if number in (401, 403) or "Authentication failed" in output or "could not read Username" in output:
        does = "does not let us do this at" if number == 403 else "refuses our credentials for"
        return Unauthorized(f"the Git host {does} {url}. {said}".strip())
    return Unavailable(f"the Git host does not answer as it should: {' '.join(output.split())[-500:]}")
