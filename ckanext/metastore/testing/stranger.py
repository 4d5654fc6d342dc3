"""Somebody else with a right to push, who does as they like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ckanext.metastore.core.document import canonical_json
from ckanext.metastore.testing.git import git

_ENVIRONMENT = {
    "GIT_AUTHOR_NAME": "Eve",
    "GIT_AUTHOR_EMAIL": "eve@example.net",
    "GIT_COMMITTER_NAME": "Eve",
    "GIT_COMMITTER_EMAIL": "eve@example.net",
    "GIT_AUTHOR_DATE": "1800000000 +0200",
    "GIT_COMMITTER_DATE": "1800000000 +0200",
}


class Stranger:
    """Somebody with a right to push, a clone, and the git program.

    :param place: a bare clone
    :param url: what ``git push`` takes, with whatever lets one push
    """

    def __init__(self, place: Path, url: str) -> None:
        self._place, self._url = place, url

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run ``git`` in the clone; what it writes, without the final newline."""
        return git(*arguments, cwd=self._place, stdin=stdin, env=_ENVIRONMENT).rstrip("\n")

    def blob(self, data: bytes) -> str:
        """Make a file's content; gives its sha, as all of these do."""
        return self.git("hash-object", "-w", "--stdin", stdin=data)

    def tree(self, *lines: str) -> str:
        """Make a directory, of lines as ``git ls-tree`` writes them."""
        return self.git("mktree", "--missing", stdin="".join(f"{line}\n" for line in lines).encode())

    def commit(self, tree: str, *parents: str, message: str = "Edit") -> str:
        """Make a commit."""
        return self.git("commit-tree", tree, *(f"-p{parent}" for parent in parents), "-m", message)

    def raw(self, kind: str, data: bytes) -> str:
        """Make an object of any bytes that Git takes for one."""
        return self.git("hash-object", "-w", "-t", kind, "--literally", "--stdin", stdin=data)

    def push(self, sha: str) -> None:
        """Let the branch be there, whatever it was."""
        self.git("push", "--quiet", "--force", self._url, f"{sha}:refs/heads/main")

    def edit(self, parent: str, document: Any, message: str = "Edit") -> str:
        """Write another document, and push it."""
        blob = self.blob(canonical_json(document))
        kept = [line for line in self.git("ls-tree", parent).splitlines() if not line.endswith("\tdatapackage.json")]
        sha = self.commit(self.tree(*kept, f"100644 blob {blob}\tdatapackage.json"), parent, message=message)
        self.push(sha)
        return sha
