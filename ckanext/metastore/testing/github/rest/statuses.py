"""What is said of commits: each status by itself, and the newest of each context together."""

from __future__ import annotations

from typing import Any

from flask import Response

from ckanext.metastore.testing.github.accounts import now
from ckanext.metastore.testing.github.problems import Problem, invalid, unprocessable
from ckanext.metastore.testing.github.repositories import Repository
from ckanext.metastore.testing.github.rest.gitshapes import is_sha, url
from ckanext.metastore.testing.github.rest.routes import Call, Routes, answer
from ckanext.metastore.testing.github.rest.shapes import minimal_repository, node_id, simple_user

_STATES = ("error", "failure", "pending", "success")
_DESCRIPTION_LIMIT = 140
_LIMIT = 1000
_KIND = "statuses"


def register(routes: Routes) -> None:
    """Say what is answered here."""
    routes.on_repository("POST", "/statuses/<sha>", _create, needs="statuses")
    routes.on_repository("GET", "/commits/<path:revision>/statuses", _list)
    routes.on_repository("GET", "/commits/<path:revision>/status", _combined)


def _create(call: Call, repository: Repository, sha: str) -> Response:
    if not is_sha(sha) or repository.git.resolve(f"{sha}^{{commit}}") != sha:
        raise unprocessable(f"No commit found for SHA: {sha}")
    said = _said(call.body)
    with call.world.statuses_lock:
        before = _kept(call, repository, sha)
        if sum(other["context"] == said["context"] for other in before) >= _LIMIT:
            raise unprocessable("This SHA and context has reached the maximum number of statuses.")
        status = {**said, "id": call.world.store.next_number(), "creator": call.bearer.owner, "at": now()}
        call.world.store.put(_KIND, f"{repository.id}/{sha}", [status, *before])
    return answer(_shape(call, repository, sha, status), 201)


def _said(wanted: dict[str, Any]) -> dict[str, Any]:
    """Give what was sent, if GitHub would take it."""
    if wanted.get("state") not in _STATES:
        raise invalid("Status", "state", "custom", f"state is not included in the list: {', '.join(_STATES)}")
    description, target = wanted.get("description"), wanted.get("target_url")
    if description and len(description) > _DESCRIPTION_LIMIT:
        reason = f"description is too long (maximum is {_DESCRIPTION_LIMIT} characters)"
        raise invalid("Status", "description", "custom", reason)
    if target and not str(target).startswith(("http://", "https://")):
        raise invalid("Status", "target_url", "custom", "target_url must use http(s) scheme")
    context = wanted.get("context") or "default"
    return {"state": wanted["state"], "description": description, "target_url": target, "context": context}


def _list(call: Call, repository: Repository, revision: str) -> Response:
    sha = _resolved(repository, revision)
    statuses, headers = call.page(_kept(call, repository, sha))
    return answer([_shape(call, repository, sha, status) for status in statuses], headers=headers)


def _combined(call: Call, repository: Repository, revision: str) -> Response:
    sha = _resolved(repository, revision)
    newest: dict[str, dict[str, Any]] = {}
    for status in _kept(call, repository, sha):
        newest.setdefault(status["context"], status)
    states = {status["state"] for status in newest.values()}
    shown, headers = call.page([_shape(call, repository, sha, status, simple=True) for status in newest.values()])
    combined = {
        "state": "failure" if states & {"error", "failure"} else "success" if states == {"success"} else "pending",
        "statuses": shown,
        "sha": sha,
        "total_count": len(newest),
        "repository": minimal_repository(call, repository),
        "commit_url": url(call, repository, "commits", sha),
        "url": url(call, repository, "commits", sha, "status"),
    }
    return answer(combined, headers=headers)


def _resolved(repository: Repository, revision: str) -> str:
    sha = repository.git.resolve(f"{revision}^{{commit}}")
    if sha is None:
        raise Problem(422, f"No commit found for SHA: {revision}") if is_sha(revision) else Problem(404, "Not Found")
    return sha


def _kept(call: Call, repository: Repository, sha: str) -> list[dict[str, Any]]:
    """Give what was said of a commit, the newest first."""
    statuses: list[dict[str, Any]] = call.world.store.all(_KIND).get(f"{repository.id}/{sha}", [])
    return statuses


def _shape(
    call: Call, repository: Repository, sha: str, status: dict[str, Any], *, simple: bool = False
) -> dict[str, Any]:
    account = call.world.accounts.get(status["creator"])
    shown = {
        "url": url(call, repository, "statuses", sha),
        "avatar_url": f"{call.site}/avatars/u/{account.id}",
        "id": status["id"],
        "node_id": node_id("SC", status["id"]),
        **{name: status[name] for name in ("state", "description", "target_url", "context")},
        "created_at": status["at"],
        "updated_at": status["at"],
    }
    return shown if simple else {**shown, "creator": simple_user(call, account)}
