"""Checking the folder: the packages one after the other, then what is in it besides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ckanext.metastore.backends.git import inspecting
from ckanext.metastore.backends.git.reader import GitReader
from ckanext.metastore.core.errors import Invalid, MetastoreError
from ckanext.metastore.core.findings import Expected, Finding

_MOVE_AWAY = "decide whose it is, and move it away"


class GitInspector(GitReader):
    """Compares what there is with what is to be."""

    def inspect(
        self, packages: Iterable[Expected], *, thorough: bool = False, complete: bool = False
    ) -> Iterator[Finding]:
        """Compare the repositories with what they are to hold."""
        # Before the packages: a repository comes later than its package, so that none is taken for an orphan.
        there = self._folder.names() if complete else []
        known = set()
        for package in packages:
            known |= {self._name(package, public=public) for public in (True, False)} if complete else set()
            yield from self._guarded(package, thorough=thorough)
        if complete:
            yield from self._strangers(set(there) - known)

    def mend(self, package: Expected, finding: Finding) -> None:
        """Put right what was found."""
        if not finding.mends:
            raise Invalid("finding", f"{finding.kind} cannot be mended")
        if finding.kind == "unfinished":
            self._folder.clear_unfinished()
            return
        with self._folder.lock(package.package_id):
            self._mend(package, finding)

    def _mend(self, package: Expected, finding: Finding) -> None:
        """The same for what is wrong with one package's repositories, under the lock."""
        if finding.kind == "lock":
            for public in (True, False):
                for lock in inspecting.stale_locks(self._folder.path(package.package_id, public=public)):
                    lock.unlink(missing_ok=True)
        elif finding.kind == "not-lent":
            self._folder.lend(package.package_id)
        else:
            self._reach(package)

    def _reach(self, package: Expected) -> None:
        """Let refs reach again what is in the repositories."""
        public = self._folder.open(package.package_id, public=True)
        if public is not None and package.head is not None and package.head in public:
            inspecting.move_forward(public, self._branch, package.head)
        private = self._folder.open(package.package_id, public=False)
        if private is not None and package.private and package.private[-1] in private:
            inspecting.hold(private, package.private[-1])

    def _guarded(self, package: Expected, *, thorough: bool) -> Iterator[Finding]:
        try:
            yield from self._look(package, thorough=thorough)
        except MetastoreError as error:
            yield Finding("corrupt", package.package_id, str(error), "see whether the disk is well")

    def _look(self, package: Expected, *, thorough: bool) -> Iterator[Finding]:
        """Find what is wrong with one package."""
        yield from inspecting.look_public(self._folder, self._branch, package, thorough=thorough)
        yield from inspecting.look_private(self._folder, self._branch, package, thorough=thorough)

    def _strangers(self, names: set[str]) -> Iterator[Finding]:
        for name in sorted(names):
            if (self._folder.root / name).exists():
                yield Finding(
                    "orphan", "", f"{self._folder.root / name} is no dataset's", "decide whose it is; move it away"
                )
        for path in self._folder.unfinished():
            yield Finding("unfinished", "", str(path), mends=True)

    def _name(self, package: Expected, *, public: bool) -> str:
        path = self._folder.path(package.package_id, public=public)
        return str(path.relative_to(self._folder.root))
