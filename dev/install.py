"""Installs what is missing: Debian packages, CKAN, Giftless, Solr's jars, what GitHub publishes of itself."""

import ctypes.util
import fcntl
import hashlib
import os
import shutil
import sys
import sysconfig
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from dev.console import Failure, Job, finish, say
from dev.paths import AXE, DEV, GIFTLESS, LOGS, OPENAPI, REQUIREMENTS, ROOT, SOLR, VAR, VENV, WEBHOOKS, venv_program
from dev.services import postgres

BY_HAND = "apt-get update && apt-get install"
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True)
class Need:
    """Something the machine must have, and the Debian package that brings it."""

    package: str
    present: Callable[[], object]


def _program(name: str) -> Callable[[], object]:
    return lambda: shutil.which(name)


@dataclass(frozen=True)
class Published:
    """A package of npm's, of which we need a few files: it is packed, not installed."""

    folder: Path
    title: str
    package: str
    files: tuple[str, ...]

    @property
    def inputs(self) -> list[bytes]:
        """What the folder depends on."""
        return [self.package.encode(), *(name.encode() for name in self.files)]


# The stand-in for GitHub is held against the first two, the pages against the third.
PUBLISHED = (
    Published(
        OPENAPI,
        "GitHub's description of its API",
        "@octokit/openapi@23.0.2",
        ("package/generated/api.github.com.json", "package/LICENSE"),
    ),
    Published(
        WEBHOOKS,
        "What GitHub's webhooks send",
        "@octokit/webhooks-examples@7.6.1",
        ("package/api.github.com/index.json", "package/package.json"),
    ),
    Published(
        AXE, "Rules for pages that everybody can use", "axe-core@4.14.1", ("package/axe.min.js", "package/LICENSE")
    ),
)

NEEDS = (
    Need("postgresql", lambda: postgres.program("initdb")),
    Need("redis-server", _program("redis-server")),
    Need("git", _program("git")),
    Need("git-lfs", _program("git-lfs")),
    Need("curl", _program("curl")),  # the demo and the README show it
    Need("default-jdk-headless", _program("javac")),
    Need("maven", _program("mvn")),
    Need("npm", _program("npm")),
    Need("chromium", _program("chromium")),
    Need("systemd", _program("systemd-analyze")),
    Need("build-essential", _program("cc")),
    Need("libpq-dev", _program("pg_config")),
    Need("libmagic1", lambda: ctypes.util.find_library("magic")),
    Need(f"{PYTHON}-venv", lambda: find_spec("ensurepip")),
    Need(f"{PYTHON}-dev", lambda: Path(sysconfig.get_path("include"), "Python.h").exists()),
)


def install() -> None:
    """Install everything that is missing; where nothing is, this takes a fraction of a second."""
    VAR.mkdir(exist_ok=True)
    with (VAR / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install_packages([need.package for need in NEEDS if not need.present()])
        if jobs := [*_environment_jobs(), *_giftless_jobs(), *_solr_jobs(), *_published_jobs()]:
            say(f"Installing (the first time takes a minute or two; logs in {LOGS}):")
            finish(*jobs)
            _finish_solr()
            _finish_published()
            _stamp(VENV, _environment_inputs())
            _stamp(GIFTLESS, _giftless_inputs())
            _stamp(SOLR, _solr_inputs())
            for published in PUBLISHED:
                _stamp(published.folder, published.inputs)


def _install_packages(packages: list[str]) -> None:
    if not packages:
        return
    # "env", because sudo drops our variables: a package's question would wait unseen, its text in the log.
    apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", "--no-install-recommends"]
    if os.geteuid() != 0:
        if not shutil.which("sudo"):
            raise Failure(f"Packages are missing and there is no sudo; as root, run: {BY_HAND} {' '.join(packages)}")
        apt = ["sudo", *apt]
    say(f"Installing from Debian: {' '.join(packages)}")
    finish(Job("package lists", [*apt, "update"], LOGS / "apt.log"))
    finish(Job("packages", [*apt, "install", *packages], LOGS / "apt.log"))


def _environment_inputs() -> list[bytes]:
    """What the virtual environment depends on: when any of it changes, it is brought up to date."""
    names = ("requirements.txt", REQUIREMENTS, "setup.py")
    project, _, _linters = (ROOT / "pyproject.toml").read_bytes().partition(b"[tool.")
    return [sys.version.encode(), project, *((ROOT / name).read_bytes() for name in names)]


def _environment_jobs() -> list[Job]:
    if _is_stamped(VENV, _environment_inputs()):
        return []
    if not _works(VENV):
        shutil.rmtree(VENV, ignore_errors=True)
        finish(Job("virtual environment", [sys.executable, "-m", "venv", str(VENV)], LOGS / "pip.log"))
    pip = [venv_program("python"), "-m", "pip", "install", "--disable-pip-version-check"]
    command = [*pip, "-r", REQUIREMENTS, "--editable", "."]
    return [Job("CKAN and the developers' tools", command, LOGS / "pip.log")]


def _works(venv: Path) -> bool:
    """Whether the environment is there and made by the Python that runs us."""
    python = venv / "bin" / "python"
    return python.exists() and (venv / "lib" / PYTHON).exists()


def _giftless_inputs() -> list[bytes]:
    return [sys.version.encode(), (DEV / "giftless.txt").read_bytes()]


def _giftless_jobs() -> list[Job]:
    """The Git LFS server for the tests; in an environment of its own, as it wants an older Flask than CKAN."""
    if _is_stamped(GIFTLESS, _giftless_inputs()):
        return []
    # One job that makes the environment, too: nothing else waits for it.
    script = '"$0" -m venv --clear "$1"; exec "$1/bin/python" -m pip install --disable-pip-version-check -r "$2"'
    command = ["sh", "-ec", script, sys.executable, str(GIFTLESS), str(DEV / "giftless.txt")]
    return [Job("Giftless", command, LOGS / "giftless.log")]


def _solr_inputs() -> list[bytes]:
    return [(DEV / "solr" / name).read_bytes() for name in ("pom.xml", "SolrServer.java")]


def _solr_jobs() -> list[Job]:
    if _is_stamped(SOLR, _solr_inputs()):
        return []
    shutil.rmtree(SOLR, ignore_errors=True)
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={SOLR}/lib"]
    command = ["mvn", "-B", "-q", "-f", str(DEV / "solr" / "pom.xml"), *goal]
    return [Job("Solr's jars", command, LOGS / "maven.log")]


def _finish_solr() -> None:
    """Compile the main class into a jar beside the others."""
    if _is_stamped(SOLR, _solr_inputs()):
        return
    source, classes = str(DEV / "solr" / "SolrServer.java"), str(SOLR / "classes")
    compiler = ["javac", "-cp", f"{SOLR}/lib/*", "-d", classes, source]
    finish(Job("Solr's main class", compiler, LOGS / "javac.log"))
    archive = ["jar", "--create", "--file", f"{SOLR}/lib/server.jar", "-C", classes, "."]
    finish(Job("Solr's archive", archive, LOGS / "javac.log"))


def _published_jobs() -> list[Job]:
    jobs = []
    for number, wanted in enumerate(PUBLISHED):
        if _is_stamped(wanted.folder, wanted.inputs):
            continue
        shutil.rmtree(wanted.folder, ignore_errors=True)
        wanted.folder.mkdir()
        pack = ["npm", "pack", "--silent", "--no-update-notifier", "--pack-destination", str(wanted.folder)]
        jobs.append(Job(wanted.title, [*pack, wanted.package], LOGS / f"npm-{number}.log"))
    return jobs


def _finish_published() -> None:
    """Take from the packages what we need."""
    for wanted in PUBLISHED:
        for package in wanted.folder.glob("*.tgz"):
            with tarfile.open(package) as archive:
                for name in wanted.files:
                    content = archive.extractfile(name)
                    if content is None:
                        raise Failure(f"{wanted.package} has no {name}.")
                    (wanted.folder / Path(name).name).write_bytes(content.read())
            package.unlink()


def _digest(inputs: Iterable[bytes]) -> str:
    return hashlib.sha256(b"\0".join(inputs)).hexdigest()


def _is_stamped(folder: Path, inputs: Iterable[bytes]) -> bool:
    stamp = folder / ".made-from"
    return stamp.exists() and stamp.read_text() == _digest(inputs)


def _stamp(folder: Path, inputs: Iterable[bytes]) -> None:
    (folder / ".made-from").write_text(_digest(inputs))
