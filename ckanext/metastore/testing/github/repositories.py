"""What the server knows of each repository, and the bare repositories themselves."""

from __future__ import annotations

import shutil
import threading
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ckanext.metastore.testing.github.accounts import now
from ckanext.metastore.testing.github.git import GitRepository, create_repository
from ckanext.metastore.testing.github.problems import invalid, not_found
from ckanext.metastore.testing.github.store import Store

NAME_TAKEN = "name already exists on this account"


@dataclass(frozen=True)
class Repository:
    """A repository's settings at one moment; ``path`` is the bare repository.

    :ivar hooks: webhooks, by number
    :ivar protected: branches, and whether only forced pushes are refused there
    """

    id: int
    owner: str
    name: str
    path: Path
    private: bool = False
    description: str | None = None
    homepage: str | None = None
    topics: tuple[str, ...] = ()
    archived: bool = False
    created_at: str = ""
    updated_at: str = ""
    pushed_at: str | None = None
    hooks: dict[int, dict[str, Any]] = field(default_factory=dict)
    protected: dict[str, bool] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """``owner/name``."""
        return f"{self.owner}/{self.name}"

    @property
    def git(self) -> GitRepository:
        """Its commits, trees and refs."""
        return GitRepository(self.path)

    @property
    def default_branch(self) -> str:
        """The first branch that was pushed, or the one that was chosen since."""
        return self.git.default_branch()


class Repositories:
    """All repositories, by number and by name; a name that was given up leads on until another takes it."""

    def __init__(self, store: Store, root: Path) -> None:
        self._store = store
        self._root = root
        self._lock = threading.RLock()
        root.mkdir(parents=True, exist_ok=True)
        self._all = {int(number): self._loaded(value) for number, value in store.all("repository").items()}
        self._names = {_key(repository.full_name): number for number, repository in self._all.items()}
        self._redirects: dict[str, int] = store.all("redirect")

    def create(self, owner: str, name: str, title: str, **settings: Any) -> Repository:
        """Create an empty repository.

        :param title: the message of a refusal
        :raises Problem: 422: the name is taken
        """
        with self._lock:
            self._check_free(owner, name, title)
            number = self._store.next_number()
            path = self._root / f"{number}.git"
            create_repository(path)
            time = now()
            repository = Repository(number, owner, name, path, created_at=time, updated_at=time, **settings)
            self._take_name(repository)
            return self._keep(repository)

    def get(self, number: int) -> Repository:
        """Give a repository by its number.

        :raises Problem: 404
        """
        with self._lock:
            if repository := self._all.get(number):
                return repository
        raise not_found()

    def find(self, full_name: str) -> tuple[Repository, bool]:
        """Give a repository by a name that it has, or had; and whether it has moved.

        :raises Problem: 404
        """
        with self._lock:
            if number := self._names.get(_key(full_name)):
                return self._all[number], False
            if number := self._redirects.get(_key(full_name)):
                return self._all[number], True
        raise not_found()

    def change(self, number: int, **settings: Any) -> Repository:
        """Change what is known of a repository, not its name."""
        with self._lock:
            return self._keep(replace(self.get(number), **settings))

    def move(self, number: int, owner: str, name: str, title: str) -> Repository:
        """Give a repository another name or owner; the old name leads to it.

        :raises Problem: 422: the name is taken
        """
        with self._lock:
            old = self.get(number)
            new = replace(old, owner=owner, name=name, updated_at=now())
            if _key(new.full_name) != _key(old.full_name):
                self._check_free(owner, name, title)
                del self._names[_key(old.full_name)]
                self._redirects[_key(old.full_name)] = number
                self._store.put("redirect", _key(old.full_name), number)
                self._take_name(new)
            return self._keep(new)

    def delete(self, number: int) -> None:
        """Delete a repository; nothing leads to it any more."""
        with self._lock:
            repository = self.get(number)
            del self._all[number], self._names[_key(repository.full_name)]
            for name in [name for name, target in self._redirects.items() if target == number]:
                self._drop_redirect(name)
            self._store.remove("repository", str(number))
            shutil.rmtree(repository.path)

    def owned(self, owner: str) -> list[Repository]:
        """List an account's repositories, the oldest first."""
        with self._lock:
            found = [one for one in self._all.values() if one.owner.lower() == owner.lower()]
        return sorted(found, key=lambda one: one.id)

    def count(self, owner: str, *, private: bool) -> int:
        """Count an owner's repositories."""
        with self._lock:
            every = self._all.values()
            return sum(one.private == private and one.owner.lower() == owner.lower() for one in every)

    def _check_free(self, owner: str, name: str, title: str) -> None:
        if _key(f"{owner}/{name}") in self._names:
            raise invalid("Repository", "name", "custom", NAME_TAKEN, title=title)

    def _take_name(self, repository: Repository) -> None:
        self._names[_key(repository.full_name)] = repository.id
        self._drop_redirect(_key(repository.full_name))

    def _drop_redirect(self, name: str) -> None:
        if self._redirects.pop(name, None) is not None:
            self._store.remove("redirect", name)

    def _keep(self, repository: Repository) -> Repository:
        self._all[repository.id] = repository
        value = asdict(repository)
        del value["path"]
        self._store.put("repository", str(repository.id), value)
        return repository

    def _loaded(self, value: dict[str, Any]) -> Repository:
        hooks = {int(number): hook for number, hook in value.pop("hooks").items()}
        topics = tuple(value.pop("topics"))
        return Repository(path=self._root / f"{value['id']}.git", hooks=hooks, topics=topics, **value)


def _key(full_name: str) -> str:
    return full_name.lower()
