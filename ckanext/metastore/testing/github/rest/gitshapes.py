"""Git's objects as GitHub writes them, read from the bare repository."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote

from ckanext.metastore.testing.github.accounts import stamp
from ckanext.metastore.testing.github.git import GitFailed, GitRepository
from ckanext.metastore.testing.github.problems import not_found
from ckanext.metastore.testing.github.repositories import Repository
from ckanext.metastore.testing.github.rest.routes import Call
from ckanext.metastore.testing.github.rest.shapes import node_id

UNSIGNED = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}

_SHA = re.compile(r"[0-9a-f]{40}")
_PERSON = re.compile(r"(?P<name>.*?) ?<(?P<email>[^>]*)>(?: (?P<time>-?\d+) (?P<zone>[+-]\d{4}))?")


@dataclass(frozen=True)
class GitObject:
    """A commit or an annotated tag, taken apart."""

    sha: str
    kind: str
    fields: dict[str, list[str]]
    message: str


def is_sha(text: object) -> bool:
    """Tell whether this is a whole object id."""
    return isinstance(text, str) and _SHA.fullmatch(text) is not None


def read_object(git: GitRepository, sha: str, kind: str) -> GitObject:
    """Read a commit or a tag.

    :raises Problem: 404: there is none, or it is of another kind
    """
    if not is_sha(sha):
        raise not_found()
    try:
        text = git.run("cat-file", kind, sha).decode("utf-8", "replace")
        # cat-file looks through tags: a tag's id is no commit's.
        actual = git.text("cat-file", "-t", sha)
    except GitFailed:
        raise not_found() from None
    if actual != kind:
        raise not_found()
    return _taken_apart(sha, kind, text)


def _taken_apart(sha: str, kind: str, text: str) -> GitObject:
    head, _, message = text.partition("\n\n")
    fields: dict[str, list[str]] = {}
    for line in re.sub(r"\n ", "\0", head).splitlines():
        name, _, value = line.partition(" ")
        fields.setdefault(name, []).append(value)
    # GitHub shows messages without the last line's end.
    return GitObject(sha, kind, fields, message.removesuffix("\n"))


def person(text: str) -> dict[str, str]:
    """Give an author, a committer or a tagger."""
    match = _PERSON.match(text)
    if match is None:
        return {"name": text, "email": "", "date": stamp(datetime.fromtimestamp(0, timezone.utc))}
    moment = datetime.fromtimestamp(int(match["time"] or 0), timezone.utc)
    return {"name": match["name"], "email": match["email"], "date": stamp(moment)}


def url(call: Call, repository: Repository, *path: str) -> str:
    """Give the address of a part of a repository."""
    return "/".join([call.api, "repos", repository.owner, repository.name, *(quote(part) for part in path)])


def page_url(call: Call, repository: Repository, *path: str) -> str:
    """Give the address of a page about it."""
    return "/".join([call.site, repository.owner, repository.name, *(quote(part) for part in path)])


def git_commit(call: Call, repository: Repository, commit: GitObject) -> dict[str, Any]:
    """Give a commit, as Git has it."""
    tree = commit.fields["tree"][0]
    parents = [
        {
            "sha": sha,
            "url": url(call, repository, "git", "commits", sha),
            "html_url": page_url(call, repository, "commit", sha),
        }
        for sha in commit.fields.get("parent", [])
    ]
    return {
        "sha": commit.sha,
        "node_id": node_id("C", commit.sha),
        "url": url(call, repository, "git", "commits", commit.sha),
        "html_url": page_url(call, repository, "commit", commit.sha),
        "author": person(commit.fields["author"][0]),
        "committer": person(commit.fields["committer"][0]),
        "tree": {"sha": tree, "url": url(call, repository, "git", "trees", tree)},
        "message": commit.message,
        "parents": parents,
        "verification": UNSIGNED,
    }


def commit_of_history(call: Call, repository: Repository, commit: GitObject) -> dict[str, Any]:
    """Give a commit, as it stands in a history."""
    plain = git_commit(call, repository, commit)
    inner = {name: plain[name] for name in ("author", "committer", "message", "tree", "verification")}
    address = url(call, repository, "commits", commit.sha)
    parents = [{**parent, "url": url(call, repository, "commits", parent["sha"])} for parent in plain["parents"]]
    return {
        "sha": commit.sha,
        "node_id": plain["node_id"],
        "commit": {**inner, "url": plain["url"], "comment_count": 0},
        "url": address,
        "html_url": plain["html_url"],
        "comments_url": f"{address}/comments",
        "author": None,
        "committer": None,
        "parents": parents,
    }


def git_tag(call: Call, repository: Repository, tag: GitObject) -> dict[str, Any]:
    """Give an annotated tag."""
    target, kind = tag.fields["object"][0], tag.fields["type"][0]
    return {
        "node_id": node_id("TA", tag.sha),
        "sha": tag.sha,
        "url": url(call, repository, "git", "tags", tag.sha),
        "tagger": person(tag.fields.get("tagger", ["<>"])[0]),
        "object": {"sha": target, "type": kind, "url": url(call, repository, "git", f"{kind}s", target)},
        "tag": tag.fields["tag"][0],
        "message": tag.message,
        "verification": UNSIGNED,
    }


def git_ref(call: Call, repository: Repository, ref: str, sha: str, kind: str) -> dict[str, Any]:
    """Give a ref."""
    return {
        "ref": ref,
        "node_id": node_id("REF", f"{repository.id}:{ref}"),
        "url": url(call, repository, "git", ref),
        "object": {"sha": sha, "type": kind, "url": url(call, repository, "git", f"{kind}s", sha)},
    }
