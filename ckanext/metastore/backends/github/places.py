"""Which repository at GitHub is a package's: found in the caller's registry, or by name.

A repository is never taken for a package's because its name fits. The number that GitHub gave it proves it, or that it
is empty and says itself that we made it for this package: then the answer to our creating it was lost.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

from ckanext.metastore.backends.github.repositories import Repositories, as_taken
from ckanext.metastore.core.backend import Registry
from ckanext.metastore.core.errors import Conflict, Invalid, NotFound
from ckanext.metastore.core.names import repository_name
from ckanext.metastore.core.types import Hosted, Profile

Place = tuple[str, str]
"""Owner and name."""


class Places(Protocol):
    """Where packages' repositories are, and how they come, change and go.

    :param follows: whether a repository is still the package's where GitHub leads from its name to another
    :param sure: whether a package that has a place has a repository there
    """

    follows: bool
    sure: bool

    def find(self, package_id: str) -> Place | None:
        """Give the place of a package's repository; ``None`` where it has none."""

    def create(self, package_id: str) -> None:
        """Make the package's repository."""

    def arrange(self, package_id: str, *, profile: Profile | None, public: bool | None, needed: bool) -> None:
        """Bring the repository to what the package is now, before anything is pushed; make it if it is needed."""

    def is_ours(self, package_id: str) -> bool:
        """Ask whether the repository of that name is still the one that we know."""

    def rename(self, package_id: str, new_id: str) -> None:
        """The package has another id."""

    def purge(self, package_id: str) -> None:
        """The package is no more."""


class Registered:
    """The caller's database says which repository is whose.

    :param owner: for profiles that name none
    :param purge: ``"delete"`` or ``"archive"``
    """

    follows = True
    sure = True

    def __init__(self, api: Repositories, owner: str, purge: str, registry: Registry) -> None:
        self._api, self._owner, self._purge, self._registry = api, owner, purge, registry

    def find(self, package_id: str) -> Place | None:
        """Ask the registry."""
        hosted = self._registry.get(package_id)
        return (hosted.profile.owner, hosted.profile.name) if hosted else None

    def create(self, package_id: str) -> None:
        """Nothing: :meth:`arrange` has made it."""

    def arrange(self, package_id: str, *, profile: Profile | None, public: bool | None, needed: bool) -> None:
        """Hide it first, show it last; a request only for what is another than we left it."""
        hosted = self._registry.get(package_id)
        wanted = as_taken(profile, self._owner) if profile else None
        if hosted is None:
            if wanted is None or not needed:
                return
            hosted = self._create(package_id, wanted, private=public is False)
            self._registry.put(package_id, hosted)
        if (arranged := self._arranged(hosted, wanted or hosted.profile, private=_private(hosted, public))) != hosted:
            self._registry.put(package_id, arranged)

    def _create(self, package_id: str, wanted: Profile, *, private: bool) -> Hosted:
        try:
            return self._api.create(wanted, private=private)
        except Conflict:
            return self._adopted(package_id, wanted)

    def _adopted(self, package_id: str, wanted: Profile) -> Hosted:
        """A repository of that name that is there: ours, if it says so and nothing was ever pushed to it."""
        there = self._api.find(wanted.owner, wanted.name)
        if package_id not in there.profile.homepage or not self._api.is_empty(there.id):
            raise Conflict(
                f"{wanted.owner} has a repository {wanted.name} already that is not this dataset's: rename one of them"
            )
        return there

    def _arranged(self, hosted: Hosted, wanted: Profile, *, private: bool) -> Hosted:
        if private and not hosted.private:
            self._api.change(hosted.id, name=hosted.profile.name, private=True)
            hosted = replace(hosted, private=True)
        if wanted.owner.lower() != hosted.profile.owner.lower():
            self._move(hosted, wanted)
            hosted = replace(hosted, profile=replace(hosted.profile, owner=wanted.owner, name=wanted.name))
        if changes := _changes(hosted, wanted, private=private):
            self._change(hosted, wanted, changes)
        if wanted.topics != hosted.profile.topics:
            self._api.set_topics(hosted.id, wanted.topics)
        return Hosted(hosted.id, wanted, private)

    def _move(self, hosted: Hosted, wanted: Profile) -> None:
        try:
            self._api.transfer(hosted.id, wanted.owner, wanted.name)
        except (Conflict, Invalid):
            # Done before, and the answer was lost?
            if self._api.look(hosted.id).profile.owner.lower() != wanted.owner.lower():
                raise

    def _change(self, hosted: Hosted, wanted: Profile, changes: dict[str, Any]) -> None:
        try:
            self._api.change(hosted.id, **{"name": wanted.name, **changes})
        except Conflict as error:
            raise Conflict(
                f"{wanted.owner} has a repository {wanted.name} already that is not this dataset's: rename one of them"
            ) from error

    def is_ours(self, package_id: str) -> bool:
        """Compare GitHub's number of it."""
        hosted = self._registry.get(package_id)
        return hosted is not None and self._api.find(hosted.profile.owner, hosted.profile.name).id == hosted.id

    def rename(self, package_id: str, new_id: str) -> None:
        """The number stays, and so does the name, which is not the id."""
        hosted = self._registry.get(package_id)
        if hosted:
            self._registry.put(new_id, hosted)
            self._registry.forget(package_id)

    def purge(self, package_id: str) -> None:
        """Delete or archive, then forget."""
        hosted = self._registry.get(package_id)
        if hosted is None:
            return
        _purge(self._api, hosted, self._purge)
        self._registry.forget(package_id)


class ByName:
    """Without a database: a package's repository is the owner's that has its id for its name."""

    follows = False
    sure = False

    def __init__(self, api: Repositories, owner: str, purge: str) -> None:
        self._api, self._owner, self._purge = api, owner, purge

    def find(self, package_id: str) -> Place:
        """By name."""
        return self._owner, repository_name(package_id)[:100]

    def create(self, package_id: str) -> None:
        """Make it. One that is there and empty is one that we made: its name is the package's id."""
        owner, name = self.find(package_id)
        try:
            self._api.create(Profile(owner, name, description="Metadata kept by ckanext-metastore"), private=False)
        except Conflict:
            if not self._api.is_empty(self._api.find(owner, name).id):
                raise

    def arrange(self, package_id: str, *, profile: Profile | None, public: bool | None, needed: bool) -> None:
        """Nothing: here nobody knows what a package is beside its history."""

    def is_ours(self, package_id: str) -> bool:  # noqa: ARG002
        """It is: its name is all that we know of it."""
        return True

    def rename(self, package_id: str, new_id: str) -> None:
        """Rename it.

        :raises Conflict: the owner has one of that name
        """
        hosted = self._api.find(*self.find(package_id))
        self._api.change(hosted.id, name=self.find(new_id)[1])

    def purge(self, package_id: str) -> None:
        """Delete or archive it. That there is none is no error."""
        try:
            hosted = self._api.find(*self.find(package_id))
        except NotFound:
            return
        _purge(self._api, hosted, self._purge)


def _private(hosted: Hosted, public: bool | None) -> bool:
    return hosted.private if public is None else not public


def _changes(hosted: Hosted, wanted: Profile, *, private: bool) -> dict[str, Any]:
    now = hosted.profile
    pairs = {
        "name": (now.name, wanted.name),
        "description": (now.description, wanted.description),
        "homepage": (now.homepage, wanted.homepage),
        "private": (hosted.private, private),
    }
    return {key: new for key, (old, new) in pairs.items() if old != new}


def _purge(api: Repositories, hosted: Hosted, how: str) -> None:
    if how == "archive":
        api.change(hosted.id, name=hosted.profile.name, archived=True)
    else:
        api.delete(hosted.id)
