"""One bare repository: objects and refs, and nothing that knows of datasets.

Objects go in and come out as exact bytes. pygit2's own builders are not used: they cut a message at NUL, wrap years
beyond 2106 and write commits that ``git fsck`` refuses.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

import pygit2
from pygit2.enums import ObjectType as GitObjectType
from pygit2.enums import RepositoryOpenFlag

from ckanext.metastore.backends.git.libgit2 import translated_errors
from ckanext.metastore.backends.git.transport import run_git
from ckanext.metastore.core.errors import NotFound, Unavailable
from ckanext.metastore.core.names import is_full_sha
from ckanext.metastore.core.objects import Commit, TreeEntry, parse_commit, parse_tree
from ckanext.metastore.core.types import GitObject, ObjectType

_TYPES = {
    "blob": GitObjectType.BLOB,
    "tree": GitObjectType.TREE,
    "commit": GitObjectType.COMMIT,
    "tag": GitObjectType.TAG,
}
_TYPE_NAMES = {int(value): cast(ObjectType, name) for name, value in _TYPES.items()}

TAGS = "refs/tags/"

_PATIENCE = 30.0
"""Seconds in which the program tells the size of an object."""

LOCK_ATTEMPTS = 20
LOCK_PAUSE = 0.05
STALE_LOCK_AGE = 60.0
"""Seconds. Git holds the lock of a ref for milliseconds: an older one is what a killed process left behind."""


class Repository:
    """An open repository. Opening is cheap; a handle serves one operation of one thread.

    :raises Unavailable: there is none at ``path``, or it cannot be read
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with translated_errors("open the repository"):
            self._repository = pygit2.Repository(str(path), RepositoryOpenFlag.NO_SEARCH)
            self._objects = self._repository.odb

    # -- objects -----------------------------------------------------------------------------------------------

    def __contains__(self, sha: str) -> bool:
        return is_full_sha(sha) and sha in self._objects

    def write(self, objects: Iterable[GitObject]) -> None:
        """Write objects, those that they name first. What is there already is not written again."""
        with translated_errors("write an object"):
            for item in objects:
                self._repository.write(_TYPES[item.type], item.data)

    def read(self, sha: str) -> GitObject | None:
        """Read an object by its full sha; ``None`` where there is none."""
        if not is_full_sha(sha):
            return None
        try:
            kind, data = self._objects.read(sha)
        except KeyError:
            return None
        except (pygit2.GitError, OSError) as error:
            raise Unavailable(f"cannot read object {sha}: {error}") from error
        return GitObject(_TYPE_NAMES[kind], data)

    def measure(self, sha: str) -> tuple[ObjectType, int] | None:
        """Give an object's type and size in bytes without reading it; ``None`` where there is none.

        The program does that: the last pygit2 for Python 3.10 cannot.
        """
        if not is_full_sha(sha):
            return None
        config = {"safe.directory": "*"}
        done = run_git(self.path, ["cat-file", "--batch-check"], config, seconds=_PATIENCE, stdin=sha)
        if done.returncode:
            raise Unavailable(f"cannot read object {sha}: {' '.join(done.stderr.split())[-300:]}")
        _, kind, *size = done.stdout.split()
        return (cast(ObjectType, kind), int(size[0])) if size else None

    def commit(self, sha: str) -> Commit:
        """Read a commit.

        :raises NotFound: no commit has this sha
        """
        item = self.read(sha)
        if item is None or item.type != "commit":
            raise NotFound("revision", sha)
        return parse_commit(item.data)

    def tree(self, sha: str) -> bytes:
        """Read a directory's raw bytes.

        :raises Unavailable: it is not there, though something names it
        """
        item = self.read(sha)
        if item is None or item.type != "tree":
            raise Unavailable(f"cannot read tree {sha}: it is missing")
        return item.data

    def file(self, commit: str, path: str) -> bytes:
        """Read a file of a revision.

        :raises NotFound: no such revision or file
        """
        *directories, name = path.split("/")
        tree = self.commit(commit).tree
        for directory in directories:
            tree = self._entry(tree, directory, path).sha
        item = self.read(self._entry(tree, name, path).sha)
        if item is None or item.type != "blob":
            raise NotFound("file", path)
        return item.data

    def _entry(self, tree: str, name: str, path: str) -> TreeEntry:
        item = self.read(tree)
        entries = parse_tree(item.data) if item is not None and item.type == "tree" else ()
        found = next((entry for entry in entries if entry.name == name), None)
        if found is None:
            raise NotFound("file", path)
        return found

    # -- history -----------------------------------------------------------------------------------------------

    def walk(self, tip: str) -> Iterator[str]:
        """Give the shas of a commit and its ancestors, newest first, reading no further than asked."""
        with translated_errors("walk the history"):
            for commit in self._repository.walk(tip):
                yield str(commit.id)

    def holds(self, tip: str, sha: str) -> bool:
        """Tell whether ``sha`` is ``tip`` or one of its ancestors."""
        if sha == tip:
            return True
        with translated_errors("walk the history"):
            return sha in self and self._repository.descendant_of(tip, sha)

    def common(self, one: str, other: str) -> str | None:
        """Give the newest commit that two histories have in common; ``None`` where there is none."""
        with translated_errors("compare the histories"):
            found = self._repository.merge_base(one, other)
            return str(found) if found else None

    # -- refs --------------------------------------------------------------------------------------------------

    def ref(self, name: str) -> str | None:
        """Give the sha that a ref points to; ``None`` where there is none, or the name is none."""
        with translated_errors(f"read {name}"):
            reference = self._lookup(name)
            return str(reference.target) if reference else None

    def refs(self, prefix: str) -> dict[str, str]:
        """Give the refs below a prefix, such as ``"refs/tags/"``: what follows the prefix, and the sha."""
        with translated_errors("list the refs"):
            # pygit2 could list tags alone, but never frees what it passes over then (1.21).
            return {
                ref.name.removeprefix(prefix): str(ref.target)
                for ref in self._repository.references.iterator()
                if ref.name.startswith(prefix)
            }

    def swap(self, name: str, *, old: str | None, new: str) -> bool:
        """Point a ref to another sha, if it still points to the one expected (compare-and-swap).

        :param old: ``None`` where there is to be no such ref yet
        :returns: whether it was done; if not, somebody else has moved the ref
        :raises Unavailable: it stays locked, or cannot be written
        """
        self._clear_stale_locks(name)
        failure: Exception | None = None
        for _ in range(LOCK_ATTEMPTS):
            try:
                reference = self._lookup(name)
                if (str(reference.target) if reference else None) != old:
                    return False
                if reference:
                    reference.set_target(new)
                else:
                    self._repository.references.create(name, new)
                return True
            except (pygit2.GitError, OSError) as error:
                failure = error
                time.sleep(LOCK_PAUSE)
        raise Unavailable(f"cannot move {name}: {failure}")

    def _lookup(self, name: str) -> pygit2.Reference | None:
        """Find a ref; ``None`` where there is none, or the name cannot be one."""
        try:
            # pygit2 keeps the name for ever (1.21): let it be the same one each time.
            return self._repository.lookup_reference(sys.intern(name))
        except (KeyError, ValueError):
            return None

    def remove(self, name: str) -> None:
        """Remove a ref. Removing what is not there is no error."""
        self._clear_stale_locks(name)
        with translated_errors(f"remove {name}"):
            if reference := self._lookup(name):
                reference.delete()

    def set_head(self, name: str) -> None:
        """Make ``HEAD`` stand for a ref, which may be still to come."""
        self._clear_stale_locks("HEAD")
        with translated_errors("set HEAD"):
            if self._repository.lookup_reference("HEAD").target != name:
                self._repository.set_head(name)

    def _clear_stale_locks(self, name: str) -> None:
        """Let go of what a process that was killed while it moved a ref holds forever."""
        with translated_errors(f"unlock {name}"):
            for lock in (self.path / f"{name}.lock", self.path / "packed-refs.lock"):
                if lock.exists() and time.time() - lock.stat().st_mtime > STALE_LOCK_AGE:
                    lock.unlink(missing_ok=True)
