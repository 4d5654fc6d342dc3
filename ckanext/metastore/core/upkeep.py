"""What an operator asks of a backend: packing, checking, repairing, leaving."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from ckanext.metastore.core.findings import Expected, Finding
from ckanext.metastore.core.types import RecordedRevision, TagUpdate


class Upkeep(Protocol):
    """A part of :class:`ckanext.metastore.core.Backend`."""

    def repositories(self) -> list[str]:
        """List the repositories on this machine, by names that :meth:`gc` takes."""

    def gc(self, repository: str) -> None:
        """Pack a repository's objects and refs. Others may read and write it meanwhile.

        :raises NotFound: there is none of that name
        :raises Unavailable: it cannot be packed now; nothing is lost
        """

    def inspect(
        self, packages: Iterable[Expected], *, thorough: bool = False, complete: bool = False
    ) -> Iterator[Finding]:
        """Compare the repositories with what they are to hold. Changes nothing that anybody could see.

        What is at fault with one package is found, not raised. Packages are taken one by one, as they are looked at.

        :param thorough: read every object, and ask a Git host for the branch and tags of each package
        :param complete: these are all packages that there are: any other repository here is an orphan
        """

    def mend(self, package: Expected, finding: Finding) -> None:
        """Put right what was found, where the finding says that it can be. May be repeated.

        No history is deleted, no ref forced, and nothing touched that is not known.

        :raises MetastoreError: it cannot be done, or not now
        """

    def export(
        self,
        package: Expected,
        *,
        target: Path,
        private: bool = False,
        newest: str | None = None,
        revisions: Iterable[RecordedRevision] = (),
        tags: Iterable[TagUpdate] = (),
    ) -> None:
        """Write a package's history as a bare repository of its own, that needs no other; or move one forward.

        A new one is there as a whole or not at all. The package's published revisions are looked for wherever they are.

        :param private: all of the history, and not only what is public
        :param newest: the revision that a clone checks out; the newest public one, where none is given
        :param revisions: what is recorded, and perhaps in no repository yet, oldest first
        :param tags: the same
        :raises NotFound: a revision that was published is nowhere
        :raises Conflict: what is there holds something else, or a revision's parent is nowhere
        :raises Unavailable: it cannot be read or written
        """
