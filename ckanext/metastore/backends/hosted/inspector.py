"""Checking the copies in the folder, and what they are copies of."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

from ckanext.metastore.backends.git import inspecting
from ckanext.metastore.backends.git.folder import create_repository
from ckanext.metastore.backends.git.libgit2 import translated_errors
from ckanext.metastore.backends.git.repository import Repository
from ckanext.metastore.backends.hosted import staging
from ckanext.metastore.backends.hosted.copies import CLONE, REFSPECS, Copies
from ckanext.metastore.backends.hosted.hosting import Hosting, Listing
from ckanext.metastore.core.errors import Conflict, MetastoreError, NotFound
from ckanext.metastore.core.findings import Expected, Finding
from ckanext.metastore.core.types import Hosted

BATCH = 100

_FETCHED = ("missing", "behind", "corrupt", "tag")
"""What the host can help out with."""

_LATER = "look again later, or at the token: see docs/operations.rst"
_DECIDE = "decide which history stands: see docs/operations.rst"
_MOVED = {
    "host-ahead": inspecting.PULL,
    "host-diverged": inspecting.PULL,
    "host-behind": "ckan metastore pull {} --strategy ours, or ask who rewound it",
}


class HostInspector(Copies):
    """Compares with the host, too.

    :ivar _hosting: what is asked of the host's API; ``None`` without a registry: then a name is all that is known
    """

    _hosting: Hosting | None

    def inspect(
        self, packages: Iterable[Expected], *, thorough: bool = False, complete: bool = False
    ) -> Iterator[Finding]:
        """Compare the repositories with what they are to hold."""
        there: list[Finding] = []
        hosted: set[str] = set()
        looking = self._at_host(packages, there, hosted, thorough)
        for finding in super().inspect(looking, thorough=thorough, complete=complete):
            fetches = not self._hosting or finding.package_id in hosted
            if finding.kind == "missing" and finding.mends and fetches and not thorough:
                continue  # no fault: it comes when it is needed
            yield finding if fetches or not finding.remedy else replace(finding, mends=False)
        yield from there

    def _at_host(
        self, packages: Iterable[Expected], found: list[Finding], hosted: set[str], thorough: bool
    ) -> Iterator[Expected]:
        """Look at the host first; give the packages on. What is wrong there is put into ``found``."""
        remaining = iter(packages)
        listing = self._hosting.listing() if self._hosting else None
        while batch := list(islice(remaining, BATCH)):
            known = self._hosting.known(batch) if self._hosting else {}
            hosted.update(known)
            if listing:
                found.extend(Finding("host-unknown", "", why, _LATER) for why in listing.prepare(known.values()))
            for package in batch:
                found.extend(self._look_there(package, known.get(package.package_id), listing, thorough))
                yield package

    def _look_there(
        self, package: Expected, known: Hosted | None, listing: Listing | None, thorough: bool
    ) -> Iterator[Finding]:
        gone = False
        try:
            if self._hosting and listing:
                for finding in self._hosting.inspect(package, known, listing):
                    gone = gone or finding.kind in ("host-missing", "host-taken")
                    yield finding
            if thorough and not gone and package.head is not None:
                yield from self._branch_there(package)
        except MetastoreError as error:
            yield Finding("host-unknown", package.package_id, str(error), _LATER)

    # -- the branch and the tags ---------------------------------------------------------------------------------

    def _branch_there(self, package: Expected) -> Iterator[Finding]:
        try:
            with self._talking():
                refs = self._remote(package.package_id).refs(self._folder.root)
        except NotFound:
            yield Finding("host-missing", package.package_id, f"{self._host.name} shows us no such repository", _DECIDE)
            return
        tip = refs.get(f"refs/heads/{self._branch}")
        if tip != package.head and tip not in package.waiting:
            detail = f"the branch is at {tip or 'nothing'} there, and revision {package.head} was published"
            kind = self._apart(package, tip)
            remedy = _MOVED[kind].format(package.package_id) if tip else _DECIDE
            yield Finding(kind, package.package_id, detail, remedy)
            return
        for name, sha in package.tags.items():
            if refs.get(f"refs/tags/{name}") != sha and name not in package.waiting:
                detail = f"the tag {name} is at {refs.get(f'refs/tags/{name}', 'nothing')} there, not at {sha}"
                yield Finding("host-tag", package.package_id, detail, _DECIDE)

    def _apart(self, package: Expected, tip: str | None) -> str:
        """Tell in which way the host's branch is another than what was published."""
        head = str(package.head)
        repository = self._folder.open(package.package_id, public=True)
        if tip is None or (repository is not None and tip in repository):
            forward = tip is None or repository is None or head not in repository or repository.holds(head, tip)
            back = tip is not None and repository is not None and repository.holds(tip, head)
            return "host-ahead" if back else "host-behind" if forward else "host-diverged"
        with self._talking(), self._fresh(package.package_id) as theirs:
            return "host-ahead" if theirs.holds(tip, head) else "host-diverged"

    @contextmanager
    def _fresh(self, package_id: str) -> Iterator[Repository]:
        """What the host has, in a place of its own that goes when the block ends."""
        with translated_errors("clone the repository"):
            self._folder.root.mkdir(parents=True, exist_ok=True)
            place = Path(tempfile.mkdtemp(prefix=CLONE, dir=self._folder.root))
        try:
            create_repository(place / "repository.git", self._branch)
            self._remote(package_id).fetch(place / "repository.git", REFSPECS)
            yield Repository(place / "repository.git")
        finally:
            shutil.rmtree(place, ignore_errors=True)

    # -- the folder, which is a cache ----------------------------------------------------------------------------

    def _look(self, package: Expected, *, thorough: bool) -> Iterator[Finding]:
        """Find what is wrong with the copy here: the host may help out."""
        for finding in inspecting.look_public(self._folder, self._branch, package, thorough=thorough):
            yield replace(finding, mends=True) if finding.kind in _FETCHED else finding
        yield from inspecting.look_private(self._folder, self._branch, package, thorough=thorough)

    def mend(self, package: Expected, finding: Finding) -> None:
        """Put right what was found."""
        if finding.mends and finding.kind.startswith("host-"):
            if self._hosting:
                with self._talking():
                    self._hosting.mend(package, finding)
            return
        with self._talking():
            super().mend(package, finding)

    def _mend(self, package: Expected, finding: Finding) -> None:
        """Fetch what is missing; put aside what is damaged."""
        if finding.kind not in _FETCHED:
            super()._mend(package, finding)
            return
        self._reach(package)
        if finding.kind in ("missing", "corrupt"):
            self._replace(package)
            return
        repository = self._folder.open(package.package_id, public=True)
        if repository is not None and staging.is_of_another(repository, self._places.number(package.package_id)):
            raise Conflict("the copy here is of another repository than the dataset's: see docs/operations.rst")
        self._fetched(package.package_id)

    def _replace(self, package: Expected) -> None:
        """Put a new copy in the place of one that is damaged, which is put aside.

        :raises Conflict: the host does not have all that was published
        """
        with self._fresh(package.package_id) as theirs:
            staging.take_over(theirs, self._branch)
            head, tags = theirs.ref(f"refs/heads/{self._branch}"), theirs.refs("refs/tags/")
            whole = package.head is None or (head is not None and theirs.holds(head, package.head))
            if not whole or package.tags.keys() - tags.keys():
                raise Conflict(f"{self._host.name} does not have all that was published: the damaged copy stays")
            staging.stamp(theirs, self._places.number(package.package_id))
            self._folder.put_aside(package.package_id, f"{time.time():.0f}")
            self._folder.adopt(package.package_id, theirs.path)
