"""The folder that holds all repositories: where each is, and how one comes, moves and goes.

::

    <root>/<xx>/<name>.git              what was public when it was recorded; the only one that is ever served
    <root>/<xx>/<name>.private.git      everything else; borrows objects from the first, never the other way
    <root>/<xx>/.lock                   held while a repository of this shard is written

``<name>`` is made of the dataset's id, ``<xx>`` its first two characters. A name with a leading dot is a repository
that is half made or half removed; whoever comes next clears it away. But ``.damaged-<time>-<name>.git`` stays: one of a
folder that is a cache, and which was replaced.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ckanext.metastore.backends.git.libgit2 import translated_errors
from ckanext.metastore.backends.git.repository import Repository
from ckanext.metastore.core.errors import Conflict, NotFound, Unavailable
from ckanext.metastore.core.names import repository_name

log = logging.getLogger(__name__)

LOCK_TIMEOUT = 10.0
LOCK_PAUSE = 0.005
"""Seconds. The git backend holds a lock for some milliseconds: no network is used under it."""

UNFINISHED_AGE = 3600.0
"""Seconds. Making or removing a repository takes no longer, nor does a clone."""

_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"
_DIRECTORIES = ("objects/info", "objects/pack", "refs/heads", "refs/tags")
_VITAL = ("HEAD", "objects", "refs")
"""Without one of these, Git takes a directory for no repository."""


class Folder:
    """The repositories below ``root``.

    :param locks_each: lock each package by itself, not with its shard: for who holds a lock while a network answers
    :param patience: seconds to wait for a lock; :data:`LOCK_TIMEOUT`, where none are given
    :param is_cache: what is public here can be had elsewhere: a repository that lost files counts as missing
    """

    def __init__(
        self, root: Path, *, locks_each: bool = False, patience: float | None = None, is_cache: bool = False
    ) -> None:
        self.root = root
        self._is_cache = is_cache
        self._locks_each = locks_each
        self._patience = patience

    def path(self, package_id: str, *, public: bool) -> Path:
        """Give the place of a package's repository, there or not.

        :raises InvalidName: the id is empty or no text
        """
        name = repository_name(package_id)
        return self.root / name[:2] / (f"{name}.git" if public else f"{name}.private.git")

    def names(self) -> list[str]:
        """List what there is, as ``<xx>/<name>.git`` and ``<xx>/<name>.private.git``."""
        found = self.root.glob("[!.]*/[!.]*.git")
        return sorted(str(path.relative_to(self.root)) for path in found)

    def open(self, package_id: str, *, public: bool) -> Repository | None:
        """Open a package's repository; ``None`` where there is none."""
        path = self.path(package_id, public=public)
        if public and self._is_cache:
            _put_aside_what_is_none(path)
        return Repository(path) if path.exists() else None

    def open_or_create(self, package_id: str, *, public: bool, branch: str) -> Repository:
        """Open a package's repository for writing, under its lock. The private one borrows from the public one."""
        path = self.path(package_id, public=public)
        with translated_errors("create the repository"):
            if not path.exists():
                create_repository(path, branch, mode=0o777 if public else 0o700)
            self._lend(package_id)
        return Repository(path)

    def adopt(self, package_id: str, repository: Path) -> Repository:
        """Put a complete public repository in its place, unless somebody was first: then theirs stands."""
        path = self.path(package_id, public=True)
        with translated_errors("move the repository"):
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                with _suppress_taken():
                    move(repository, path)
            self._lend(package_id)
        return Repository(path)

    def rename(self, package_id: str, new_id: str) -> None:
        """Move a package's repositories, under the lock of both ids. If it was cut off, the same call finishes it.

        :raises NotFound: ``package_id`` has no history
        :raises Conflict: ``new_id`` has a history of its own
        """
        private, new_private = self.path(package_id, public=False), self.path(new_id, public=False)
        public, new_public = self.path(package_id, public=True), self.path(new_id, public=True)
        if not (public.exists() or private.exists()):
            raise NotFound("dataset", package_id)
        with translated_errors("move the repository"):
            begun = private.exists() and str(_alternate(new_public)) in _read_alternates(private)
            if not begun and (new_public.exists() or new_private.exists()):
                raise Conflict(f"{new_id} has a history of its own")
            if private.exists():
                _write_alternates(private, [_alternate(public), _alternate(new_public)])
            move(public, new_public)
            move(private, new_private)
            self._lend(new_id)

    def purge(self, package_id: str) -> None:
        """Destroy a package's repositories: out of the way first, so that no half of one is ever seen."""
        with self.lock(package_id):
            gone = self._put_away(package_id)
        _destroy(gone)

    def remove(self, package_id: str) -> None:
        """The same under the lock."""
        _destroy(self._put_away(package_id))

    def _put_away(self, package_id: str) -> list[Path]:
        gone = []
        with translated_errors("remove the repository"):
            for public in (False, True):
                path = self.path(package_id, public=public)
                gone.append(path.with_name(f".gone-{path.name}"))
                shutil.rmtree(gone[-1], ignore_errors=True)
                move(path, gone[-1])
                gone += path.parent.glob(f".damaged-*-{path.name}")
        return gone

    def is_lent(self, package_id: str) -> bool:
        """Tell whether the private repository borrows from the public one, where both are there."""
        private, public = self.path(package_id, public=False), self.path(package_id, public=True)
        with translated_errors("look at the repository"):
            both = private.exists() and public.exists()
            return not both or _read_alternates(private) == [str(_alternate(public))]

    def lend(self, package_id: str) -> None:
        """Let it, under the lock."""
        with translated_errors("lend the objects"):
            self._lend(package_id)

    def put_aside(self, package_id: str, when: str) -> None:
        """Take a damaged public repository out of the way, under the lock. It stays, for people to look at."""
        path = self.path(package_id, public=True)
        with translated_errors("put the repository aside"):
            move(path, path.with_name(f".damaged-{when}-{path.name}"))

    def unfinished(self) -> list[Path]:
        """List what killed processes have left behind half made or half removed, and nobody is at work on."""
        found = [*self.root.glob(".clone-*"), *self.root.glob("[!.]*/.new-*"), *self.root.glob("[!.]*/.gone-*")]
        with translated_errors("look at the folder"):
            return sorted(path for path in found if time.time() - path.stat().st_mtime > UNFINISHED_AGE)

    def clear_unfinished(self) -> None:
        """Remove that. A repository has such a name only before it is one, or after it was to be destroyed."""
        _destroy(self.unfinished())

    @contextmanager
    def lock(self, *package_ids: str) -> Iterator[None]:
        """Keep all other writers, threads and processes, away from these packages.

        :raises Unavailable: somebody has held it for too long
        """
        patience = LOCK_TIMEOUT if self._patience is None else self._patience
        with ExitStack() as stack:
            for file in sorted({self._lock_file(package_id) for package_id in package_ids}):
                stack.enter_context(_locked(file, patience))
            yield

    def _lock_file(self, package_id: str) -> Path:
        path = self.path(package_id, public=True)
        return path.with_name(f".{path.stem}.lock" if self._locks_each else ".lock")

    def _lend(self, package_id: str) -> None:
        """Let the private repository borrow from the public one, where both are there."""
        private, public = self.path(package_id, public=False), self.path(package_id, public=True)
        if private.exists() and public.exists():
            _write_alternates(private, [_alternate(public)])


def create_repository(path: Path, branch: str, mode: int = 0o777) -> None:
    """Make a minimal bare repository that is there as a whole or not at all.

    ``objects/pack`` is part of it: a handle opened before the first gc would never see a pack without it.
    """
    new = path.with_name(f".new-{path.name}")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=mode)
    for directory in _DIRECTORIES:
        (new / directory).mkdir(parents=True)
    _write_durably(new / "config", _CONFIG)
    _write_durably(new / "HEAD", f"ref: refs/heads/{branch}\n")
    move(new, path)


def _alternate(public: Path) -> Path:
    """Give the way from any repository's ``objects`` to a public one's, so that the root may be moved or mounted."""
    return Path("../../..", public.parent.name, public.name, "objects")


def _read_alternates(repository: Path) -> list[str]:
    file = repository / "objects/info/alternates"
    return file.read_text().splitlines() if file.exists() else []


def _write_alternates(repository: Path, alternates: list[Path]) -> None:
    lines = [str(alternate) for alternate in alternates]
    if _read_alternates(repository) != lines:
        _write_durably(repository / "objects/info/alternates", "".join(f"{line}\n" for line in lines))


def _write_durably(path: Path, text: str) -> None:
    """Write a file so that it is there as a whole or not at all, also after a power cut."""
    new = path.with_name(f"{path.name}.new")
    with new.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    _sync(path.parent)


def move(path: Path, new: Path) -> None:
    """Rename a repository, where it is there, durably."""
    if path.exists():
        path.rename(new)
        _sync(path.parent)
        _sync(new.parent)


@contextmanager
def _suppress_taken() -> Iterator[None]:
    """Pass over that a directory is there already, and not empty."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
            raise


def _put_aside_what_is_none(path: Path) -> None:
    """Put aside what is no repository any more, as when somebody removed it while it was written."""
    lost = [name for name in _VITAL if not (path / name).exists()] if path.exists() else []
    if not lost:
        return
    aside = path.with_name(f".damaged-{time.time_ns()}-{path.name}")
    with translated_errors("put the repository aside"), suppress(FileNotFoundError):
        path.rename(aside)
        log.warning("%s has lost %s: it is fetched anew, and what is left of it is %s", path, ", ".join(lost), aside)


def _destroy(paths: list[Path]) -> None:
    with translated_errors("remove the repository"):
        for path in paths:
            if path.exists():
                shutil.rmtree(path)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _locked(path: Path, patience: float) -> Iterator[None]:
    with translated_errors("lock the repository"):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a")
    try:
        _acquire(file.fileno(), patience)
        yield
    finally:
        # Not only closed: a process forked meanwhile holds a copy of the descriptor.
        fcntl.flock(file, fcntl.LOCK_UN)
        file.close()


def _acquire(descriptor: int, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Unavailable(f"cannot lock the repository: another process has held it for {patience} s") from None
            time.sleep(LOCK_PAUSE)
        except OSError as error:
            raise Unavailable(f"cannot lock the repository: {error}") from error
