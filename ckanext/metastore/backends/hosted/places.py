"""Which repository at a Git host is a package's: found in the caller's registry, or by name.

A repository is never taken for a package's because its name fits. The number that the host gave it proves it, or that
it is empty and says itself that we made it for this package: then the answer to our creating it was lost.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from ckanext.metastore.backends.hosted.host import Host
from ckanext.metastore.core.backend import Registry
from ckanext.metastore.core.errors import Conflict, Invalid, NotFound
from ckanext.metastore.core.names import repository_name
from ckanext.metastore.core.types import Hosted, Profile

Place = tuple[str, str]
"""Owner and name."""


_OURS = "Metadata kept by ckanext-metastore"
"""The description of repositories that nobody has described: whose they are, before anything is pushed."""

_UNCONFIRMED = " "
"""No description that is ever asked for: what was asked for last may have been done or not."""


class Places(Protocol):
    """Where packages' repositories are, and how they come, change and go.

    :param follows: whether a repository is still the package's where the host leads from its name to another
    :param sure: whether a package that has a place has a repository there
    :param host: by which it is all done
    """

    follows: bool
    sure: bool
    host: Host

    def find(self, package_id: str) -> Place | None:
        """Give the place of a package's repository; ``None`` where it has none."""

    def number(self, package_id: str) -> int | None:
        """Give the host's number of a package's repository; ``None`` where that is not known."""

    def create(self, package_id: str) -> None:
        """Make the package's repository."""

    def arrange(self, package_id: str, *, profile: Profile | None, public: bool | None, needed: bool) -> None:
        """Bring the repository to what the package is now, before anything is pushed; make it if it is needed."""

    def is_ours(self, package_id: str) -> bool:
        """Ask whether the repository of that name is still the one that we know."""

    def rename(self, package_id: str, new_id: str) -> None:
        """The package has another id."""

    def purge(self, package_id: str, *, proven: bool) -> None:
        """The package is no more.

        :param proven: whether the repository of that name is known to hold the package's history
        """


class Registered:
    """The caller's database says which repository is whose.

    :param owner: for profiles that name none
    :param purge: ``"delete"`` or ``"archive"``
    """

    follows = True
    sure = True

    def __init__(self, host: Host, owner: str, purge: str, registry: Registry) -> None:
        self.host, self._owner, self._purge, self._registry = host, owner, purge, registry

    def find(self, package_id: str) -> Place | None:
        """Ask the registry."""
        hosted = self._registry.get(package_id)
        return (hosted.profile.owner, hosted.profile.name) if hosted else None

    def number(self, package_id: str) -> int | None:
        """Ask the registry."""
        hosted = self._registry.get(package_id)
        return hosted.id if hosted else None

    def create(self, package_id: str) -> None:
        """Nothing: :meth:`arrange` has made it."""

    def arrange(self, package_id: str, *, profile: Profile | None, public: bool | None, needed: bool) -> None:
        """Hide it first, show it last; a request only for what is another than we left it."""
        hosted = self._registry.get(package_id) or self._found_again(package_id)
        wanted = self.host.as_taken(profile, self._owner) if profile else None
        if hosted is None:
            if wanted is None or not needed:
                return
            hosted = self._create(package_id, wanted, private=public is False)
            self._registry.put(package_id, hosted)
        private = _private(hosted, public)
        wanted = wanted or hosted.profile
        if not private and hosted.private:
            # Should the answer be lost, it is to be hidden again, and to be shown again.
            shown = replace(hosted, private=False, profile=replace(hosted.profile, description=_UNCONFIRMED))
            self._registry.put(package_id, shown)
        if (arranged := self._arranged(hosted, wanted, private=private)) != hosted:
            self._registry.put(package_id, arranged)

    def _found_again(self, package_id: str) -> Hosted | None:
        """The repository that was known under another address, where this host has it, and it says whose it is."""
        known = self._registry.elsewhere(package_id)
        if known is None:
            return None
        try:
            there = self.host.look(known)
        except NotFound:
            return None
        if package_id not in there.profile.homepage:
            return None
        self._registry.put(package_id, there)
        return there

    def _create(self, package_id: str, wanted: Profile, *, private: bool) -> Hosted:
        try:
            return self.host.create(wanted, private=private)
        except Conflict as error:
            try:
                return self._adopted(package_id, wanted)
            except NotFound:
                raise _taken(wanted) from error

    def _adopted(self, package_id: str, wanted: Profile) -> Hosted:
        """A repository of that name that is there: ours, if it says so and nothing was ever pushed to it."""
        there = self.host.find(wanted.owner, wanted.name)
        says_so = package_id in there.profile.homepage and there.profile.homepage == wanted.homepage
        if not says_so or not self.host.is_empty(there):
            raise _taken(wanted)
        return there

    def _arranged(self, hosted: Hosted, wanted: Profile, *, private: bool) -> Hosted:
        if private and not hosted.private:
            self.host.change(hosted, private=True)
            hosted = replace(hosted, private=True)
        if wanted.owner.lower() != hosted.profile.owner.lower():
            self._move(hosted, wanted)
            hosted = replace(hosted, profile=replace(hosted.profile, owner=wanted.owner, name=wanted.name))
        if changes := _changes(hosted, wanted, private=private):
            self._change(hosted, wanted, changes)
        if wanted.topics != hosted.profile.topics:
            self.host.set_topics(hosted, wanted.topics)
        return Hosted(hosted.id, wanted, private)

    def _move(self, hosted: Hosted, wanted: Profile) -> None:
        try:
            self.host.transfer(hosted, wanted.owner, wanted.name)
        except (Conflict, Invalid):
            # Done before, and the answer was lost?
            if self.host.look(hosted).profile.owner.lower() != wanted.owner.lower():
                raise

    def _change(self, hosted: Hosted, wanted: Profile, changes: dict[str, Any]) -> None:
        try:
            self.host.change(hosted, **changes)
        except Conflict as error:
            raise _taken(wanted) from error

    def is_ours(self, package_id: str) -> bool:
        """Compare the host's number of it."""
        hosted = self._registry.get(package_id)
        try:
            return hosted is not None and self.host.find(hosted.profile.owner, hosted.profile.name).id == hosted.id
        except NotFound:
            return False

    def rename(self, package_id: str, new_id: str) -> None:
        """The number stays, and so does the name, which is not the id."""
        hosted, other = self._registry.get(package_id), self._registry.get(new_id)
        if other and (hosted is None or other.id != hosted.id):
            raise Conflict(f"{new_id} has a repository of its own")
        if hosted:
            self._registry.put(new_id, hosted)
            self._registry.forget(package_id)

    def purge(self, package_id: str, *, proven: bool) -> None:  # noqa: ARG002
        """Delete or archive, then forget. The host's number proves that it is the one."""
        hosted = self._registry.get(package_id) or self._found_again(package_id)
        if hosted is None:
            return
        _purge(self.host, hosted, self._purge)
        self._registry.forget(package_id)


class ByName:
    """Without a database: a package's repository is the owner's that has its id for its name."""

    follows = False
    sure = False

    def __init__(self, host: Host, owner: str, purge: str) -> None:
        self.host, self._owner, self._purge = host, owner, purge

    def find(self, package_id: str) -> Place:
        """By name."""
        taken = self.host.as_taken(Profile(self._owner, repository_name(package_id)), self._owner)
        return taken.owner, taken.name

    def number(self, package_id: str) -> None:
        """Nobody keeps it."""

    def create(self, package_id: str) -> None:
        """Make it. One that is there is ours if it says so and nothing was ever pushed to it."""
        owner, name = self.find(package_id)
        try:
            self.host.create(Profile(owner, name, description=_OURS), private=False)
        except Conflict as error:
            with suppress(NotFound):
                there = self.host.find(owner, name)
                if there.profile.description == _OURS and self.host.is_empty(there):
                    return
            raise error

    def arrange(self, package_id: str, *, profile: Profile | None, public: bool | None, needed: bool) -> None:
        """Nothing: here nobody knows what a package is beside its history."""

    def is_ours(self, package_id: str) -> bool:  # noqa: ARG002
        """It is: its name is all that we know of it."""
        return True

    def rename(self, package_id: str, new_id: str) -> None:
        """Rename it.

        :raises Conflict: the owner has one of that name
        """
        owner, name = self.find(package_id)
        new_name = self.find(new_id)[1]
        try:
            hosted = self.host.find(owner, name)
        except NotFound:
            # Done before, and the answer was lost? Then the host leads from the old name to the new one.
            self.host.find(owner, new_name, before=name)
            return
        self.host.change(hosted, name=new_name)

    def purge(self, package_id: str, *, proven: bool) -> None:
        """Delete or archive it. That there is none is no error.

        :raises Conflict: it is not known to be the package's
        """
        try:
            hosted = self.host.find(*self.find(package_id))
        except NotFound:
            return
        if not proven and hosted.profile.description != _OURS:
            raise Conflict(f"the repository {hosted.profile.owner}/{hosted.profile.name} is no package's")
        _purge(self.host, hosted, self._purge)


def _taken(wanted: Profile) -> Conflict:
    owner, name = wanted.owner, wanted.name
    return Conflict(f"{owner} has a repository {name} already that is not this dataset's: rename one of them")


def _private(hosted: Hosted, public: bool | None) -> bool:
    return hosted.private if public is None else not public


def _changes(hosted: Hosted, wanted: Profile, *, private: bool) -> dict[str, Any]:
    """All that one request can change, where any of it is another."""
    now = hosted.profile
    settings: dict[str, Any] = {
        "name": wanted.name,
        "description": wanted.description,
        "homepage": wanted.homepage,
        "private": private,
    }
    known = {"name": now.name, "description": now.description, "homepage": now.homepage, "private": hosted.private}
    if settings == known:
        return {}
    if not now.homepage and not wanted.homepage:
        del settings["homepage"]
    return settings


def _purge(host: Host, hosted: Hosted, how: str) -> None:
    if how == "delete":
        host.delete(hosted)
        return
    with suppress(NotFound):
        host.archive(hosted)
