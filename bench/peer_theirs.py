"""The peer's side of ``peer.py``: metastore-lib at work, in its own virtual environment."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any

from metastore.backend import create_metastore
from metastore.types import Author
from turns import work

ADA = Author("Ada Okafor", "ada@example.org")


class Theirs:
    """What is measured, by metastore-lib.

    :param throttled: whether PyGithub waits between requests, as it does by default
    """

    def __init__(self, api_url: str, token: str, owner: str, *, throttled: bool) -> None:
        self._options = {"login_or_token": token, "base_url": api_url}
        self._owner = owner
        self._quick = self._storage(throttled=False)
        self._measured = self._storage(throttled=throttled)
        versions = [f"{name} {version(name)}" for name in ("metastore-lib", "PyGithub")]
        self.about = ", ".join([*versions, f"Python {platform.python_version()}"])

    def _storage(self, *, throttled: bool) -> Any:
        waits = {} if throttled else {"seconds_between_requests": 0, "seconds_between_writes": 0}
        return create_metastore("github", {"github_options": {**self._options, **waits}, "default_owner": self._owner})

    def prepare(self, package: str, documents: list[dict[str, Any]]) -> None:
        """Make a history, a tag at each revision; not measured, so never throttled."""
        revision = self._quick.create(package, documents[0], author=ADA)
        self._quick.tag_create(package, revision.revision, "v0", author=ADA)
        for number, document in enumerate(documents[1:], 1):
            revision = self._quick.update(package, document, author=ADA)
            self._quick.tag_create(package, revision.revision, f"v{number}", author=ADA)

    def create(self, package: str, document: dict[str, Any]) -> None:
        """A first save."""
        self._measured.create(package, document, author=ADA)

    def update(self, package: str, document: dict[str, Any]) -> None:
        """A save."""
        self._head = self._measured.update(package, document, author=ADA).revision

    def read(self, package: str) -> None:
        """The newest document."""
        assert self._measured.fetch(package).package["name"]

    def revisions(self, package: str, number: int) -> None:
        """All revisions."""
        assert len(self._measured.revision_list(package)) == number

    def tag(self, package: str, name: str) -> None:
        """Name the revision that :meth:`update` has made."""
        self._measured.tag_create(package, self._head, name, author=ADA, description="The survey of spring")

    def tags(self, package: str, number: int) -> None:
        """All tags."""
        assert len(self._measured.tag_list(package)) == number

    def rename_tag(self, package: str, name: str, new_name: str) -> None:
        """Another name for a tag."""
        self._measured.tag_update(package, name, author=ADA, new_name=new_name)

    def delete_tag(self, package: str, name: str) -> None:
        """Remove a tag."""
        self._measured.tag_delete(package, name)

    def purge(self, package: str) -> None:
        """Destroy the repository: the peer's ``delete``."""
        self._measured.delete(package)


if __name__ == "__main__":
    work(Theirs)
