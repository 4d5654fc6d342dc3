"""Our side of ``peer.py``: the library with its ``github`` backend, without CKAN."""

from __future__ import annotations

import platform
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from turns import work

from ckanext.metastore.core import Author, create_backend
from ckanext.metastore.core.record import record_tag
from ckanext.metastore.core.types import RecordedRevision, TagUpdate

ADA = Author("Ada Okafor", "ada@example.org")


class Ours:
    """What is measured, by us."""

    def __init__(self, api_url: str, git_url: str, token: str, owner: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="metastore-bench-")
        self._path = Path(self._folder.name, "repositories")
        options = {"owner": owner, "token": token, "api_url": api_url, "git_url": git_url}
        self._backend = create_backend("github", path=self._path, **options)
        git = subprocess.run(["git", "--version"], check=True, capture_output=True, text=True).stdout.strip()
        self.about = f"{git}, Python {platform.python_version()}"

    def prepare(self, package: str, documents: list[dict[str, Any]]) -> None:
        """Make a history, a tag at each revision, as it comes from a database: in one push. Not measured."""
        revisions: list[RecordedRevision] = []
        for document in documents:
            head = revisions[-1].head if revisions else None
            revisions.append(self._backend.record(package, document=document, author=ADA, head=head))
        names = [(f"v{number}", revision.sha) for number, revision in enumerate(revisions)]
        tags = [TagUpdate(name, True, record_tag(name=name, revision_id=sha, author=ADA)) for name, sha in names]
        self._backend.publish(package, revisions=revisions, tags=tags)

    def lose(self) -> None:
        """Lose the folder. Not measured."""
        shutil.rmtree(self._path)

    def create(self, package: str, document: dict[str, Any]) -> None:
        """A first save."""
        self._backend.create(package, document=document, author=ADA)

    def update(self, package: str, document: dict[str, Any]) -> None:
        """A save."""
        self._backend.update(package, document=document, author=ADA)

    def read(self, package: str) -> None:
        """The newest document."""
        assert self._backend.fetch(package).document["name"]

    def revisions(self, package: str, number: int) -> None:
        """All revisions."""
        assert len(self._backend.revision_list(package, limit=number + 1)) == number

    def tag(self, package: str, name: str) -> None:
        """Name the newest revision."""
        self._backend.tag_create(package, name=name, author=ADA, description="The survey of spring")

    def tags(self, package: str, number: int) -> None:
        """All tags."""
        assert len(self._backend.tag_list(package)) == number

    def rename_tag(self, package: str, name: str, new_name: str) -> None:
        """Another name for a tag."""
        self._backend.tag_update(package, tag=name, author=ADA, name=new_name)

    def delete_tag(self, package: str, name: str) -> None:
        """Remove a tag."""
        self._backend.tag_delete(package, tag=name)

    def purge(self, package: str) -> None:
        """Destroy the repository."""
        self._backend.purge(package)


if __name__ == "__main__":
    work(Ours)
