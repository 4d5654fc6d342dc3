"""Refs, branches and tags."""

from __future__ import annotations

from typing import Any

from flask import Response

from ckanext.metastore.testing.github.git import GitFailed
from ckanext.metastore.testing.github.problems import Problem, not_found, unprocessable
from ckanext.metastore.testing.github.repositories import Repository
from ckanext.metastore.testing.github.rest.events import NOTHING, Move, announce
from ckanext.metastore.testing.github.rest.gitshapes import (
    commit_of_history,
    git_ref,
    is_sha,
    page_url,
    read_object,
    url,
)
from ckanext.metastore.testing.github.rest.routes import Call, Routes, answer, done
from ckanext.metastore.testing.github.rest.shapes import node_id

_REF = "%(refname) %(objectname) %(objecttype) %(*objectname)"


def register(routes: Routes) -> None:
    """Say what is answered here."""
    routes.on_repository("GET", "/git/ref/<path:ref_name>", _show)
    # PyGithub asks here, as the API was until 2019; it still answers for one ref.
    routes.on_repository("GET", "/git/refs/<path:ref_name>", _show)
    routes.on_repository("GET", "/git/matching-refs/<path:ref_name>", _matching)
    routes.on_repository("POST", "/git/refs", _create, needs="contents")
    routes.on_repository("PATCH", "/git/refs/<path:ref_name>", _update, needs="contents")
    routes.on_repository("DELETE", "/git/refs/<path:ref_name>", _delete, needs="contents")
    routes.on_repository("GET", "/branches", _branches)
    routes.on_repository("GET", "/branches/<path:ref_name>", _branch)
    routes.on_repository("GET", "/tags", _tags)


def _listed(repository: Repository, *patterns: str) -> list[tuple[str, str, str, str]]:
    """List refs: name, id, kind, and what a tag is of."""
    lines = repository.git.text("for-each-ref", f"--format={_REF}", *patterns).splitlines()
    rows = [[*line.split(" "), ""][:4] for line in lines]
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def _one(call: Call, repository: Repository, ref: str) -> dict[str, Any] | None:
    for name, sha, kind, _ in _listed(repository, ref):
        if name == ref:
            return git_ref(call, repository, name, sha, kind)
    return None


def _show(call: Call, repository: Repository, ref_name: str) -> Response:
    shown = _one(call, repository, f"refs/{ref_name}")
    if shown is None:
        raise not_found() if repository.git.branches() else Problem(409, "Git Repository is empty.")
    return answer(shown)


def _matching(call: Call, repository: Repository, ref_name: str) -> Response:
    start = f"refs/{ref_name}"
    rows = [row for row in _listed(repository, "refs/heads", "refs/tags") if row[0].startswith(start)]
    shown, headers = call.page([git_ref(call, repository, ref, sha, kind) for ref, sha, kind, _ in rows])
    return answer(shown, headers=headers)


def _create(call: Call, repository: Repository) -> Response:
    ref, sha = call.body.get("ref"), call.body.get("sha")
    if not isinstance(ref, str) or not ref.startswith("refs/") or ref.count("/") < 2:
        raise unprocessable("Reference name must start with 'refs/' and contain at least two slashes.")
    if not is_sha(sha) or repository.git.resolve(f"{sha}^{{object}}") is None:
        raise unprocessable("Object does not exist")
    if _one(call, repository, ref):
        raise unprocessable("Reference already exists")
    try:
        repository.git.run("check-ref-format", ref)
        repository.git.run("update-ref", ref, str(sha), NOTHING)
    except GitFailed:
        raise unprocessable(f"{ref} is not a valid ref name.") from None
    repository.git.adopt_default_branch()
    announce(call, repository, [Move(ref, NOTHING, str(sha))])
    return answer(_one(call, repository, ref), 201)


def _update(call: Call, repository: Repository, ref_name: str) -> Response:
    ref, sha, force = f"refs/{ref_name}", call.body.get("sha"), bool(call.body.get("force", False))
    before = _one(call, repository, ref)
    if before is None:
        raise unprocessable("Reference does not exist")
    if not is_sha(sha) or repository.git.resolve(f"{sha}^{{object}}") is None:
        raise unprocessable("Object does not exist")
    old = before["object"]["sha"]
    # A tag is no commit, and so no step forward from one.
    if not force and ref_name.startswith("heads/") and not _is_ancestor(repository, old, str(sha)):
        raise unprocessable("Update is not a fast forward")
    _check_protection(repository, ref_name, force=force)
    try:
        repository.git.run("update-ref", ref, str(sha), old)
    except GitFailed:
        raise Problem(409, "Reference cannot be updated") from None
    announce(call, repository, [Move(ref, old, str(sha))])
    return answer(_one(call, repository, ref))


def _delete(call: Call, repository: Repository, ref_name: str) -> Response:
    before = _one(call, repository, f"refs/{ref_name}")
    if before is None:
        raise unprocessable("Reference does not exist")
    _check_protection(repository, ref_name, force=True)
    repository.git.run("update-ref", "-d", f"refs/{ref_name}")
    announce(call, repository, [Move(f"refs/{ref_name}", before["object"]["sha"], NOTHING)])
    return done()


def _check_protection(repository: Repository, name: str, *, force: bool) -> None:
    only_force = repository.protected.get(name.removeprefix("heads/"))
    if only_force is False or (only_force and force):
        raise unprocessable("Changes must be made through a pull request." if not only_force else "Cannot force-push")


def _is_ancestor(repository: Repository, old: str, new: str) -> bool:
    try:
        repository.git.run("merge-base", "--is-ancestor", old, new)
    except GitFailed:
        return False
    return True


def _branches(call: Call, repository: Repository) -> Response:
    rows, headers = call.page(_listed(repository, "refs/heads"))
    return answer([_short(call, repository, ref.split("/", 2)[2], sha) for ref, sha, _, _ in rows], headers=headers)


def _short(call: Call, repository: Repository, name: str, sha: str) -> dict[str, Any]:
    commit = {"sha": sha, "url": url(call, repository, "commits", sha)}
    return {"name": name, "commit": commit, "protected": name in repository.protected}


def _branch(call: Call, repository: Repository, ref_name: str) -> Response:
    sha = repository.git.resolve(f"refs/heads/{ref_name}^{{commit}}")
    if sha is None:
        raise Problem(404, "Branch not found")
    address = url(call, repository, "branches", ref_name)
    shown = {
        **_short(call, repository, ref_name, sha),
        "commit": commit_of_history(call, repository, read_object(repository.git, sha, "commit")),
        "_links": {"self": address, "html": page_url(call, repository, "tree", ref_name)},
        "protection": {"enabled": ref_name in repository.protected},
        "protection_url": f"{address}/protection",
    }
    return answer(shown)


def _tags(call: Call, repository: Repository) -> Response:
    rows, headers = call.page(_listed(repository, "--sort=-version:refname", "refs/tags"))
    shown = [_tag(call, repository, ref.split("/", 2)[2], of or sha) for ref, sha, _, of in rows]
    return answer(shown, headers=headers)


def _tag(call: Call, repository: Repository, name: str, commit: str) -> dict[str, Any]:
    return {
        "name": name,
        "zipball_url": url(call, repository, "zipball", "refs", "tags", name),
        "tarball_url": url(call, repository, "tarball", "refs", "tags", name),
        "commit": {"sha": commit, "url": url(call, repository, "commits", commit)},
        "node_id": node_id("REF", f"{repository.id}:refs/tags/{name}"),
    }
