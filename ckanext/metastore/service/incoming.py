"""Repositories that are lent for one push each, and what is pushed, as Git's own program reads it.

What is pushed goes into a repository that is made for it, and borrows from the dataset's: nothing of it gets there but
by the index.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ckanext.metastore.backends.git.folder import create_repository
from ckanext.metastore.backends.git.repository import TAGS, Repository
from ckanext.metastore.core.errors import Invalid, MetastoreError, Unavailable
from ckanext.metastore.core.names import is_full_sha
from ckanext.metastore.core.types import GitObject, ObjectType
from ckanext.metastore.service.git_child import environment

STALE_AGE = 3600.0
"""Seconds. No push takes longer: an older folder is what a process left behind that was killed."""

SECONDS = 30
"""For how long one look into the pushed objects may take."""


class Refused(MetastoreError):
    """The push is not taken; the text says why to whoever pushes."""


class Moved(Refused):
    """The push is not taken, as somebody was first. It is told as Git tells it, so that programs know it."""

    def __init__(self, ref: str, text: str) -> None:
        super().__init__(f"cannot lock ref {ref}: {text}")


@dataclass(frozen=True)
class Lent:
    """A repository for one push.

    :param refs: the branch and the tags as they are in it, by their full names
    """

    path: Path
    refs: Mapping[str, str]


class Incoming:
    """The folder of these repositories."""

    def __init__(self, folder: Path, branch: str) -> None:
        self._folder = folder.absolute()
        self._branch = branch

    def lend(self, source: Path | None) -> Lent:
        """Make a repository with the branch and the tags of a dataset's, and nothing else.

        :param source: the dataset's; None where there is nothing in it yet
        :raises Unavailable: the disk does not take it
        """
        refs = self._refs(source) if source else {}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._clear_stale()
            path = Path(tempfile.mkdtemp(dir=self._folder)) / "repository.git"
            create_repository(path, self._branch)
            if source:
                (path / "objects/info/alternates").write_text(f"{(source / 'objects').absolute()}\n")
            lines = (f"{sha} {name}\n" for name, sha in sorted(refs.items()))
            (path / "packed-refs").write_text("".join(lines), encoding="utf-8")
        except OSError as error:
            raise Unavailable(f"cannot take a push: {error.strerror}") from error
        return Lent(path, refs)

    def take_back(self, lent: Lent) -> None:
        """Remove it, with all that was pushed to it."""
        shutil.rmtree(lent.path.parent, ignore_errors=True)

    def _refs(self, source: Path) -> dict[str, str]:
        head = f"refs/heads/{self._branch}"
        found = Repository(source).refs("refs/")
        named = {f"refs/{name}": sha for name, sha in found.items() if is_full_sha(sha)}
        return {name: sha for name, sha in named.items() if name == head or name.startswith(TAGS)}

    def _clear_stale(self) -> None:
        for folder in self._folder.iterdir():
            with suppress(FileNotFoundError):
                if time.time() - folder.stat().st_mtime > STALE_AGE:
                    shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Objects:
    """The repository that is pushed to, with what is pushed.

    :param variables: by which Git finds the pushed objects
    """

    repository: Path
    variables: Mapping[str, str]

    def read(self, shas: Iterable[str]) -> list[GitObject]:
        """Read objects by their shas."""
        wanted = list(shas)
        out, start, found = self.run("cat-file", "--batch", stdin="\n".join(wanted)), 0, []
        for _ in wanted:
            end = out.index(b"\n", start)
            _, kind, size = out[start:end].decode().split()
            start = end + 1 + int(size) + 1
            found.append(GitObject(cast(ObjectType, kind), out[end + 1 : start - 1]))
        return found

    def has(self, sha: str) -> bool:
        """Tell whether an object is there."""
        return not self.run("cat-file", "--batch-check=", stdin=sha).strip()

    def sizes(self, shas: Iterable[str]) -> list[int]:
        """Tell the objects' sizes in bytes.

        :raises Invalid: one is missing
        """
        lines = self.run("cat-file", "--batch-check=%(objectsize)", stdin="\n".join(shas)).decode().splitlines()
        if lost := next((line for line in lines if line.endswith("missing")), None):
            raise Invalid("object", lost)
        return list(map(int, lines))

    def is_ancestor(self, sha: str, of: str) -> bool:
        """Tell whether a commit is another one, or leads to it. Unlike ``rev-list``, whatever their times are."""
        return self._end("merge-base", "--is-ancestor", sha, of, statuses=(0, 1)).returncode == 0

    def run(self, *arguments: str, stdin: str = "") -> bytes:
        """Run ``git``; gives what it wrote.

        :raises Refused: it failed, or took too long: something is wrong with what is pushed
        """
        return self._end(*arguments, stdin=stdin).stdout

    def _end(
        self, *arguments: str, stdin: str = "", statuses: Collection[int] = (0,)
    ) -> subprocess.CompletedProcess[bytes]:
        command = ["git", "--git-dir", str(self.repository), *arguments]
        variables = environment(self.variables)
        try:
            done = subprocess.run(
                command, env=variables, input=stdin.encode(), capture_output=True, check=False, timeout=SECONDS
            )
        except (subprocess.SubprocessError, OSError) as error:
            raise Refused("what is pushed cannot be read") from error
        if done.returncode not in statuses:
            raise Refused("what is pushed cannot be read")
        return done
