"""Somebody who works on a dataset's repository at GitHub, with git."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ckanext.metastore.testing.git import git

DOCUMENT = "datapackage.json"


class Stranger:
    """A clone of a repository, and somebody who commits and pushes there.

    :param url: the repository's address, with what proves who they are
    :param folder: where the clone is to be
    :ivar now: the time by their clock, where it is wrong
    """

    def __init__(self, url: str, folder: Path) -> None:
        git("clone", "--quiet", url, str(folder))
        self.folder = folder
        self.now = ""
        self.git("config", "user.name", "Mallory")
        self.git("config", "user.email", "mallory@example.org")

    def git(self, *arguments: str) -> str:
        """Run git in the clone."""
        dates = {"GIT_AUTHOR_DATE": self.now, "GIT_COMMITTER_DATE": self.now} if self.now else {}
        return git(*arguments, cwd=self.folder, env=dates).strip()

    def document(self) -> dict[str, Any]:
        """What ``datapackage.json`` says in the clone."""
        return json.loads((self.folder / DOCUMENT).read_text())

    def edit(self, change: Callable[[dict[str, Any]], Any], **how: Any) -> str:
        """Commit a change of the document; gives the commit's sha."""
        document = self.document()
        change(document)
        return self.write(json.dumps(document, indent=2), **how)

    def write(self, text: str | bytes, path: str = DOCUMENT, message: str = "By hand", author: str = "") -> str:
        """Commit a file, on what is there now."""
        self.git("pull", "--quiet")
        (self.folder / path).write_bytes(text if isinstance(text, bytes) else text.encode())
        return self.commit(message, author)

    def commit(self, message: str = "By hand", author: str = "", *, force: bool = False) -> str:
        """Commit what is in the folder, and push it."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message, *([f"--author={author}"] if author else []))
        self.push(force=force)
        return self.git("rev-parse", "HEAD")

    def push(self, *, force: bool = False) -> None:
        """Push the branch."""
        self.git("push", "--quiet", *(["--force"] if force else []), "origin", "HEAD")
