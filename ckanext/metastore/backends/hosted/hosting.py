"""What can be wrong with the repositories at a Git host: each is what we left, or somebody else had a hand in it.

Where many are asked for, the owners' repositories are listed, a hundred with each request; a few are asked for one by
one. All but the branch and the tags is in these answers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from ckanext.metastore.backends.hosted.host import Host, There
from ckanext.metastore.core.backend import Registry
from ckanext.metastore.core.errors import MetastoreError, NotFound
from ckanext.metastore.core.findings import Expected, Finding
from ckanext.metastore.core.types import Hosted

FEW = 20
"""Repositories that are asked for one by one."""

_ABSENT = "its next save takes its history there"
_TAKEN = "rename the other repository at {}; then: ckan metastore check --fix"
_GIVE_BACK = "transfer it back at {}, or name the owner in ckanext.metastore.{}.owners"
_UNARCHIVE = "unarchive it at {}, if the dataset is to go on"
_SHOW = "make it public at {}, or the dataset private in CKAN"


class Listing:
    """What the owners have, asked for once where many are looked at; a few are asked for by themselves."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._listed: dict[int, There] = {}
        self._asked: set[str] = set()
        self._failed: set[str] = set()

    def prepare(self, known: Collection[Hosted]) -> Iterator[str]:
        """Make ready for these; says why where an owner's cannot be listed."""
        if len(known) <= FEW:
            return
        for owner in sorted({hosted.profile.owner for hosted in known} - self._asked):
            self._asked.add(owner)
            try:
                self._listed.update({there.hosted.id: there for there in self._host.list(owner)})
            except MetastoreError as error:
                self._failed.add(owner)
                yield f"the repositories of {owner} cannot be listed: {error}"

    def answers(self, known: Hosted) -> bool:
        """Tell whether it is worth asking: not where the owner's could not be listed."""
        return known.profile.owner not in self._failed

    def look(self, known: Hosted) -> There:
        """Give a repository. What is not in the lists is asked for: it may have another owner.

        :raises NotFound: there is none, or it is hidden from us
        """
        return self._listed.get(known.id) or self._host.look_closely(known)


class Hosting:
    """The repositories of packages, by the caller's registry."""

    def __init__(self, host: Host, registry: Registry) -> None:
        self._host, self._registry = host, registry

    def known(self, packages: Sequence[Expected]) -> Mapping[str, Hosted]:
        """Give the repositories as we left them."""
        return self._registry.get_all([package.package_id for package in packages])

    def listing(self) -> Listing:
        """Prepare to look at them."""
        return Listing(self._host)

    def inspect(self, package: Expected, known: Hosted | None, listing: Listing) -> Iterator[Finding]:
        """Find what is wrong with one package's repository, apart from what Git can tell."""
        name = package.package_id
        if known is None:
            if package.head and package.public:
                yield Finding("host-missing", name, f"it has no repository at {self._host.name} yet", _ABSENT)
            return
        if not listing.answers(known):
            return
        try:
            there = listing.look(known)
        except NotFound:
            yield self._gone(package, known)
            return
        yield from self._visibility(package, there)
        if there.archived:
            yield Finding("host-archived", name, f"{_place(there.hosted)} is archived", self._advice(_UNARCHIVE))
        yield from self._address(package, known, there)

    def _visibility(self, package: Expected, there: There) -> Iterator[Finding]:
        place = _place(there.hosted)
        if package.public is False and not there.hosted.private:
            yield Finding("host-exposed", package.package_id, f"everybody can see {place}", mends=True)
        if package.public and there.hosted.private and not package.waiting:
            yield Finding("host-hidden", package.package_id, f"nobody can see {place}", self._advice(_SHOW))

    def _gone(self, package: Expected, known: Hosted) -> Finding:
        """Nothing has the number. The name may be another's."""
        other = self._holder(known)
        detail = f"{self._host.name} has no repository of number {known.id}, which was {_place(known)}"
        if other is None:
            return Finding("host-missing", package.package_id, detail, self._host.restoring)
        taken = f"{detail}; that name is number {other}'s now"
        return Finding("host-taken", package.package_id, taken, self._host.restoring)

    def _address(self, package: Expected, known: Hosted, there: There) -> Iterator[Finding]:
        name, was, now = package.package_id, known.profile, there.hosted.profile
        detail = f"{_place(known)} is {_place(there.hosted)} now"
        if was.owner.lower() != now.owner.lower():
            yield Finding("host-owner", name, detail, self._advice(_GIVE_BACK))
        elif was.name.lower() != now.name.lower():
            other = self._holder(known)
            if other is None:
                yield Finding("host-name", name, detail, mends=True)
            else:
                yield Finding("host-taken", name, f"{detail}; the old name is number {other}'s", self._advice(_TAKEN))

    def _holder(self, known: Hosted) -> int | None:
        """Give the number of another repository that has the name; ``None`` where none has."""
        try:
            found = self._host.find(known.profile.owner, known.profile.name)
        except NotFound:
            return None
        return found.id if found.id != known.id else None

    def _advice(self, text: str) -> str:
        return text.format(self._host.name, self._host.options)

    def mend(self, package: Expected, finding: Finding) -> None:
        """Hide a repository, or give it its name back. Its number says which it is."""
        known = self._registry.get(package.package_id)
        if known is None:
            return
        there = self._host.look_closely(known)
        if finding.kind == "host-exposed" and not there.hosted.private:
            self._hide(there)
            self._registry.put(package.package_id, replace(known, private=True))
        elif finding.kind == "host-name":
            self._host.change(known, name=known.profile.name)

    def _hide(self, there: There) -> None:
        if not there.archived:
            self._host.change(there.hosted, private=True)
            return
        self._host.change(there.hosted, archived=False, private=True)
        self._host.change(there.hosted, archived=True)


def _place(hosted: Hosted) -> str:
    return f"{hosted.profile.owner}/{hosted.profile.name}"
