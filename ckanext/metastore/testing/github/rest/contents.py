"""Files by their paths; each one written is a commit."""

from __future__ import annotations

import base64
from typing import Any

from flask import Response

from ckanext.metastore.testing.github.git import GitFailed
from ckanext.metastore.testing.github.problems import Problem, not_found, unprocessable
from ckanext.metastore.testing.github.repositories import Repository
from ckanext.metastore.testing.github.rest.events import NOTHING, Move, announce
from ckanext.metastore.testing.github.rest.gitshapes import git_commit, page_url, read_object, url
from ckanext.metastore.testing.github.rest.objects import decoded, write_blob, write_commit, write_tree
from ckanext.metastore.testing.github.rest.routes import Call, Routes, answer

_KINDS = {"blob": "file", "tree": "dir", "commit": "submodule"}


def register(routes: Routes) -> None:
    """Say what is answered here."""
    for rule in ("/contents", "/contents/<path:path>"):
        routes.on_repository("GET", rule, _show)
    routes.on_repository("PUT", "/contents/<path:path>", _put, needs="contents")


def _show(call: Call, repository: Repository, path: str = "") -> Response:
    revision = call.argument("ref") or repository.default_branch
    commit = repository.git.resolve(f"{revision}^{{commit}}")
    if commit is None:
        if not repository.git.branches():
            raise Problem(404, "This repository is empty.")
        raise Problem(404, f"No commit found for the ref {revision}")
    rows = _rows(repository, commit, path)
    if len(rows) == 1 and rows[0][3] == path:
        if rows[0][1] == "blob":
            return answer(_file(call, repository, revision, rows[0]))
        rows = _rows(repository, commit, path + "/")
    if not rows and path:
        raise not_found()
    return answer([_item(call, repository, revision, row) for row in rows])


def _rows(repository: Repository, commit: str, path: str) -> list[tuple[str, str, str, str]]:
    """List what lies at a path: size, kind, id, path."""
    try:
        listed = repository.git.run("ls-tree", "-z", "-l", "--full-tree", commit, *([path] if path else []))
    except GitFailed:
        raise not_found() from None
    rows = [line.split("\t", 1) for line in listed.decode("utf-8", "replace").split("\0") if line]
    return [(facts.split()[3], facts.split()[1], facts.split()[2], name) for facts, name in rows]


def _item(call: Call, repository: Repository, revision: str, row: tuple[str, str, str, str]) -> dict[str, Any]:
    size, kind, sha, path = row
    address = f"{url(call, repository, 'contents', path)}?ref={revision}"
    git = url(call, repository, "git", f"{kind}s", sha)
    html = page_url(call, repository, "tree" if kind == "tree" else "blob", revision, path)
    return {
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": sha,
        "size": int(size) if size.isdecimal() else 0,
        "url": address,
        "html_url": html,
        "git_url": git,
        "download_url": page_url(call, repository, "raw", revision, path) if kind == "blob" else None,
        "type": _KINDS[kind],
        "_links": {"self": address, "git": git, "html": html},
    }


def _file(call: Call, repository: Repository, revision: str, row: tuple[str, str, str, str]) -> dict[str, Any]:
    content = repository.git.run("cat-file", "blob", row[2])
    encoded = base64.encodebytes(content).decode()
    return {**_item(call, repository, revision, row), "content": encoded, "encoding": "base64"}


def _put(call: Call, repository: Repository, path: str) -> Response:
    branch = call.body.get("branch") or repository.default_branch
    ref = f"refs/heads/{branch}"
    parent = repository.git.resolve(f"{ref}^{{commit}}")
    if parent is None and repository.git.branches():
        raise Problem(404, f"Branch {branch} not found")
    known = _known(repository, parent, path)
    _check_base(known, call.body.get("sha"), path)
    blob = write_blob(repository, decoded(call.body.get("content"), "base64"))
    tree = write_tree(repository, parent, [{"path": path, "mode": "100644", "sha": blob}])
    commit = write_commit(call, repository, tree, [parent] if parent else [])
    try:
        repository.git.run("update-ref", ref, commit, parent or NOTHING)
    except GitFailed:
        raise Problem(409, f"is at {repository.git.resolve(ref)} but expected {parent}") from None
    repository.git.adopt_default_branch()
    announce(call, repository, [Move(ref, parent or NOTHING, commit)])
    row = _rows(repository, commit, path)[0]
    shown = {
        "content": _item(call, repository, branch, row),
        "commit": git_commit(call, repository, read_object(repository.git, commit, "commit")),
    }
    return answer(shown, 200 if known else 201)


def _known(repository: Repository, commit: str | None, path: str) -> str | None:
    rows = _rows(repository, commit, path) if commit else []
    return rows[0][2] if rows else None


def _check_base(known: str | None, given: object, path: str) -> None:
    """See that the writer knows what is overwritten."""
    if known and given is None:
        raise unprocessable('Invalid request.\n\n"sha" wasn\'t supplied.')
    if known and given != known:
        raise Problem(409, f"{path} does not match {given}")
