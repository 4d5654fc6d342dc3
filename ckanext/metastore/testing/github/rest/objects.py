"""Git's objects, read and written one by one."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime, timezone
from typing import Any
from uuid import uuid4

from flask import Response

from ckanext.metastore.testing.github.git import GitFailed
from ckanext.metastore.testing.github.problems import Problem, not_found, unprocessable
from ckanext.metastore.testing.github.repositories import Repository
from ckanext.metastore.testing.github.rest.gitshapes import git_commit, git_tag, is_sha, read_object, url
from ckanext.metastore.testing.github.rest.routes import Call, Routes, answer
from ckanext.metastore.testing.github.rest.shapes import node_id

_MODES = {"100644": "blob", "100755": "blob", "120000": "blob", "040000": "tree", "160000": "commit"}


def register(routes: Routes) -> None:
    """Say what is answered here."""
    routes.on_repository("GET", "/git/blobs/<sha>", _show_blob)
    routes.on_repository("POST", "/git/blobs", _create_blob, needs="contents")
    routes.on_repository("GET", "/git/trees/<path:revision>", _show_tree)
    routes.on_repository("POST", "/git/trees", _create_tree, needs="contents")
    routes.on_repository("GET", "/git/commits/<sha>", _show_commit)
    routes.on_repository("POST", "/git/commits", _create_commit, needs="contents")
    routes.on_repository("GET", "/git/tags/<sha>", _show_tag)
    routes.on_repository("POST", "/git/tags", _create_tag, needs="contents")


def _show_blob(call: Call, repository: Repository, sha: str) -> Response:
    if not is_sha(sha):
        raise not_found()
    try:
        content = repository.git.run("cat-file", "blob", sha)
    except GitFailed:
        raise not_found() from None
    shown = {
        "sha": sha,
        "node_id": node_id("B", sha),
        "size": len(content),
        "url": url(call, repository, "git", "blobs", sha),
        "content": base64.encodebytes(content).decode(),
        "encoding": "base64",
    }
    return answer(shown)


def _create_blob(call: Call, repository: Repository) -> Response:
    _check_not_empty(repository)
    sha = write_blob(repository, decoded(call.body.get("content"), call.body.get("encoding", "utf-8")))
    return answer({"sha": sha, "url": url(call, repository, "git", "blobs", sha)}, 201)


def write_blob(repository: Repository, content: bytes) -> str:
    """Write a blob; gives its id."""
    return repository.git.text("hash-object", "-w", "--stdin", stdin=content)


def decoded(content: object, encoding: object) -> bytes:
    """Give the bytes that were meant.

    :raises Problem: 422
    """
    if not isinstance(content, str):
        raise unprocessable('Invalid request.\n\n"content" wasn\'t supplied.')
    if encoding != "base64":
        return content.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(content)
    except binascii.Error:
        raise unprocessable("content is not valid Base64") from None


def _show_tree(call: Call, repository: Repository, revision: str) -> Response:
    return answer(_tree(call, repository, revision, recursive=call.argument("recursive") is not None))


def _tree(call: Call, repository: Repository, revision: str, *, recursive: bool = False) -> dict[str, Any]:
    sha = repository.git.resolve(f"{revision}^{{tree}}")
    if sha is None:
        raise not_found()
    options = ["-r", "-t"] if recursive else []
    listed = repository.git.run("ls-tree", "-z", "-l", "--full-tree", *options, sha).decode("utf-8", "replace")
    entries = [_entry(call, repository, line) for line in listed.split("\0") if line]
    return {"sha": sha, "url": url(call, repository, "git", "trees", sha), "tree": entries, "truncated": False}


def _entry(call: Call, repository: Repository, line: str) -> dict[str, Any]:
    facts, _, path = line.partition("\t")
    mode, kind, sha, size = facts.split()
    sized = {"size": int(size)} if size != "-" else {}
    linked = {} if kind == "commit" else {"url": url(call, repository, "git", f"{kind}s", sha)}
    return {"path": path, "mode": mode, "type": kind, "sha": sha, **sized, **linked}


def _create_tree(call: Call, repository: Repository) -> Response:
    _check_not_empty(repository)
    wanted = call.body.get("tree")
    if not isinstance(wanted, list) or not wanted:
        raise unprocessable("Invalid tree info")
    sha = write_tree(repository, call.body.get("base_tree"), wanted)
    return answer(_tree(call, repository, sha), 201)


def write_tree(repository: Repository, base: str | None, entries: list[dict[str, Any]]) -> str:
    """Write a tree: another one with some paths set or removed. An index of its own, so that many may write at once."""
    git, index = repository.git, repository.path / f"index-{uuid4()}"
    variables = {"GIT_INDEX_FILE": str(index)}
    lines = b"".join(_index_line(repository, entry) for entry in entries)
    try:
        git.run("read-tree", *([base] if base else ["--empty"]), env=variables)
        git.run("update-index", "-z", "--add", "--replace", "--index-info", stdin=lines, env=variables)
        return git.text("write-tree", env=variables)
    except GitFailed:
        raise unprocessable("tree.sha is invalid" if base is None else "base_tree is not a valid tree oid") from None
    finally:
        index.unlink(missing_ok=True)


def _index_line(repository: Repository, entry: dict[str, Any]) -> bytes:
    path, mode = entry.get("path"), entry.get("mode", "100644")
    if not isinstance(path, str) or not path or path.startswith("/") or "//" in path:
        raise unprocessable("tree.path contains a malformed path component")
    if mode not in _MODES:
        raise unprocessable("tree.mode is invalid: must be one of 100644, 100755, 120000, 040000, 160000")
    if "content" in entry:
        sha = write_blob(repository, decoded(entry["content"], "utf-8"))
    elif "sha" in entry and entry["sha"] is None:
        return f"0 {'0' * 40}\t{path}\0".encode()
    elif is_sha(entry.get("sha")) and repository.git.resolve(f"{entry['sha']}^{{object}}"):
        sha = entry["sha"]
    else:
        raise unprocessable(f"tree.sha {entry.get('sha')} is not a valid {_MODES[mode]}")
    return f"{mode} {sha}\t{path}\0".encode()


def _show_commit(call: Call, repository: Repository, sha: str) -> Response:
    return answer(git_commit(call, repository, read_object(repository.git, sha, "commit")))


def _create_commit(call: Call, repository: Repository) -> Response:
    _check_not_empty(repository)
    wanted = call.body
    tree, parents = wanted.get("tree"), wanted.get("parents") or []
    if not is_sha(tree) or repository.git.resolve(f"{tree}^{{tree}}") is None:
        raise unprocessable("Tree SHA does not exist")
    for parent in parents:
        if not is_sha(parent) or repository.git.resolve(f"{parent}^{{commit}}") is None:
            raise unprocessable("Parent SHA does not exist or is not a commit object")
    sha = write_commit(call, repository, str(tree), parents)
    return answer(git_commit(call, repository, read_object(repository.git, sha, "commit")), 201)


def write_commit(call: Call, repository: Repository, tree: str, parents: list[str]) -> str:
    """Write a commit with the author and the message that were sent; gives its id."""
    author = _identity(call, call.body.get("author"))
    committer = _identity(call, call.body.get("committer") or call.body.get("author"))
    variables = {
        **{f"GIT_AUTHOR_{name}": value for name, value in author.items()},
        **{f"GIT_COMMITTER_{name}": value for name, value in committer.items()},
    }
    message = _message(call)
    options = [part for parent in parents for part in ("-p", parent)]
    return repository.git.text("commit-tree", tree, *options, stdin=message.encode(), env=variables)


def _message(call: Call) -> str:
    message = call.body.get("message")
    if not isinstance(message, str):
        raise unprocessable('Invalid request.\n\n"message" wasn\'t supplied.')
    return message


def _identity(call: Call, wanted: Any) -> dict[str, str]:
    """Give who is named, or else who asks, as Git's variables end."""
    login = call.bearer.owner
    given = wanted if isinstance(wanted, dict) else {"name": login, "email": f"{login}@users.noreply.example"}
    if not given.get("name") or not given.get("email"):
        raise unprocessable('Invalid request.\n\n"name", "email" weren\'t supplied.')
    date = str(given.get("date") or datetime.now(timezone.utc).isoformat(timespec="seconds"))
    return {"NAME": str(given["name"]), "EMAIL": str(given["email"]), "DATE": date}


def _show_tag(call: Call, repository: Repository, sha: str) -> Response:
    return answer(git_tag(call, repository, read_object(repository.git, sha, "tag")))


def _create_tag(call: Call, repository: Repository) -> Response:
    wanted = call.body
    target, kind = wanted.get("object"), wanted.get("type")
    if not is_sha(target):
        raise unprocessable("object must be a SHA")
    tagger = _identity(call, wanted.get("tagger"))
    seconds = _seconds(tagger["DATE"])
    who = f"{_bare(tagger['NAME'])} <{_bare(tagger['EMAIL'])}> {seconds} +0000"
    text = f"object {target}\ntype {kind}\ntag {wanted.get('tag')}\ntagger {who}\n\n{_message(call)}\n"
    try:
        sha = repository.git.text("mktag", "--strict", stdin=text.encode())
    except GitFailed:
        raise unprocessable(f"Could not verify object {target} of type {kind}") from None
    return answer(git_tag(call, repository, read_object(repository.git, sha, "tag")), 201)


def _seconds(date: str) -> int:
    try:
        return int(datetime.fromisoformat(date.replace("Z", "+00:00")).timestamp())
    except ValueError:
        raise unprocessable('Invalid request.\n\n"date" is not a date.') from None


def _bare(text: str) -> str:
    return re.sub(r"[<>\n\0]", "", text)


def _check_not_empty(repository: Repository) -> None:
    """GitHub has no place for objects until there is a first commit."""
    if not repository.git.branches():
        raise Problem(409, "Git Repository is empty.")
