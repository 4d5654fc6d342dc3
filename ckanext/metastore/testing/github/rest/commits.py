"""The history: a list of commits, and each by itself."""

from __future__ import annotations

from typing import Any

from flask import Response

from ckanext.metastore.testing.github.git import GitFailed
from ckanext.metastore.testing.github.problems import Problem, not_found, unprocessable
from ckanext.metastore.testing.github.repositories import Repository
from ckanext.metastore.testing.github.rest.gitshapes import commit_of_history, page_url, read_object, url
from ckanext.metastore.testing.github.rest.routes import Call, Routes, answer

_STATUSES = {"A": "added", "M": "modified", "D": "removed", "T": "changed"}


def register(routes: Routes) -> None:
    """Say what is answered here."""
    routes.on_repository("GET", "/commits", _list)
    routes.on_repository("GET", "/commits/<path:revision>", _show)


def _list(call: Call, repository: Repository) -> Response:
    if not repository.git.branches():
        raise Problem(409, "Git Repository is empty.")
    start = call.argument("sha") or "HEAD"
    path = call.argument("path")
    if repository.git.resolve(f"{start}^{{commit}}") is None:
        raise not_found()
    limits = [f"--{name}={value}" for name in ("since", "until", "author") if (value := call.argument(name))]
    paths = [path] if path else []
    shas, headers = call.page(repository.git.text("rev-list", *limits, start, "--", *paths).split())
    commits = [read_object(repository.git, sha, "commit") for sha in shas]
    return answer([commit_of_history(call, repository, commit) for commit in commits], headers=headers)


def _show(call: Call, repository: Repository, revision: str) -> Response:
    sha = repository.git.resolve(f"{revision}^{{commit}}")
    if sha is None:
        raise unprocessable(f"No commit found for SHA: {revision}")
    shown = commit_of_history(call, repository, read_object(repository.git, sha, "commit"))
    files = _files(call, repository, sha)
    added, removed = sum(file["additions"] for file in files), sum(file["deletions"] for file in files)
    return answer(
        {**shown, "stats": {"total": added + removed, "additions": added, "deletions": removed}, "files": files}
    )


def _files(call: Call, repository: Repository, sha: str) -> list[dict[str, Any]]:
    """List what a commit has changed."""
    options = ["diff-tree", "-r", "--root", "-m", "--first-parent", "--no-commit-id", "--no-renames", "-z"]
    try:
        raw = repository.git.run(*options, "--raw", "--no-abbrev", sha).decode("utf-8", "replace").split("\0")
        counts = repository.git.run(*options, "--numstat", sha).decode("utf-8", "replace").split("\0")
    except GitFailed:
        raise not_found() from None
    rows = zip(raw[0::2], raw[1::2], counts, strict=False)
    return [_file(call, repository, sha, facts.split(), path, numbers) for facts, path, numbers in rows]


def _file(call: Call, repository: Repository, sha: str, facts: list[str], path: str, numbers: str) -> dict[str, Any]:
    added, removed = (int(number) if number.isdecimal() else 0 for number in numbers.split("\t")[:2])
    _, _, old, new, status = facts
    return {
        "sha": old if status == "D" else new,
        "filename": path,
        "status": _STATUSES.get(status, "changed"),
        "additions": added,
        "deletions": removed,
        "changes": added + removed,
        "blob_url": page_url(call, repository, "blob", sha, path),
        "raw_url": page_url(call, repository, "raw", sha, path),
        "contents_url": f"{url(call, repository, 'contents', path)}?ref={sha}",
    }
