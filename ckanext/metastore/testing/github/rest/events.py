"""What happens to a repository, as its webhooks and its organization's are told of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from ckanext.metastore.testing.github.accounts import Account
from ckanext.metastore.testing.github.deliveries import Target, prepared
from ckanext.metastore.testing.github.git import GitFailed, GitRepository
from ckanext.metastore.testing.github.repositories import Repository
from ckanext.metastore.testing.github.rest.gitshapes import page_url
from ckanext.metastore.testing.github.rest.routes import Call
from ckanext.metastore.testing.github.rest.shapes import minimal_repository, simple_user

NOTHING = "0" * 40
_COMMITS = 2048
_ZEN = "Anything added dilutes everything else."
_FIELDS = "%T%x00%an%x00%ae%x00%cn%x00%ce%x00%cI%x00%B"
_KINDS = {"A": "added", "D": "removed"}


class Move(NamedTuple):
    """A branch or tag that was moved, made (from forty zeros) or removed (to them)."""

    ref: str
    before: str
    after: str


def announce(call: Call, repository: Repository, moves: Sequence[Move]) -> None:
    """Tell all hooks that want to know of a push, in the background."""
    hooks = [found for found in _hooks(call, repository) if _wants(found[1], "push")]
    if not hooks or not moves:
        return

    def tell() -> None:
        for move in moves:
            payload = push(call, repository, move)
            for number, hook, target in hooks:
                call.world.deliveries.send(prepared(number, hook, target, "push", payload))

    call.world.deliveries.in_background(tell)


def ping(call: Call, repository: Repository, number: int, shown: dict[str, Any]) -> None:
    """Tell a new hook that it is one."""
    hook, target = repository.hooks[number], Target("repository", repository.id)
    payload = {
        "zen": _ZEN,
        "hook_id": number,
        "hook": shown,
        "repository": minimal_repository(call, repository),
        "sender": _sender(call),
    }
    delivery = prepared(number, hook, target, "ping", payload)
    call.world.deliveries.in_background(lambda: call.world.deliveries.send(delivery))


def push(call: Call, repository: Repository, move: Move) -> dict[str, Any]:
    """Say what a push has done to one ref."""
    made, gone = move.before == NOTHING, move.after == NOTHING
    sender = _sender(call)
    owner = call.world.accounts.get(repository.owner)
    return {
        "ref": move.ref,
        "before": move.before,
        "after": move.after,
        "repository": _repository(call, repository, owner),
        "pusher": {"name": sender["login"], "email": _address(sender)},
        **({"organization": _organization(call, owner)} if owner.is_organization else {}),
        "sender": sender,
        "created": made,
        "deleted": gone,
        "forced": not made and not gone and not _holds(repository.git, move.after, move.before),
        "base_ref": None,
        "compare": _compared(call, repository, move),
        "commits": [_commit(call, repository, sha) for sha in _new(repository.git, move)],
        "head_commit": None if gone else _commit(call, repository, f"{move.after}^{{commit}}"),
    }


def _hooks(call: Call, repository: Repository) -> Iterator[tuple[int, dict[str, Any], Target]]:
    for number, hook in repository.hooks.items():
        yield number, hook, Target("repository", repository.id)
    owner = call.world.accounts.get(repository.owner)
    for number, hook in call.world.organization_hooks(owner.login).items():
        yield number, hook, Target("organization", owner.id)


def _wants(hook: dict[str, Any], event: str) -> bool:
    return bool(hook["active"]) and bool({event, "*"} & {*hook["events"]})


def _sender(call: Call) -> dict[str, Any]:
    return simple_user(call, call.world.accounts.get(call.bearer.owner))


def _address(account: dict[str, Any]) -> str:
    return f"{account['id']}+{account['login']}@users.noreply.github.example"


def _repository(call: Call, repository: Repository, owner: Account) -> dict[str, Any]:
    """Give a repository as it stands in a push: older than the rest of the API, with some words of its own."""
    plain = minimal_repository(call, repository)
    named = {"name": owner.login, "email": _address(plain["owner"])}
    return {
        **plain,
        "owner": {**named, **plain["owner"]},
        "url": plain["html_url"],
        "created_at": _seconds(plain["created_at"]),
        "pushed_at": _seconds(plain["pushed_at"]),
        "stargazers": 0,
        "master_branch": plain["default_branch"],
        **({"organization": owner.login} if owner.is_organization else {}),
        "custom_properties": {},
    }


def _organization(call: Call, owner: Account) -> dict[str, Any]:
    url = f"{call.api}/orgs/{owner.login}"
    plain = simple_user(call, owner)
    return {
        **{name: plain[name] for name in ("login", "id", "node_id", "avatar_url")},
        "url": url,
        **{f"{part}_url": f"{url}/{part}" for part in ("repos", "events", "hooks", "issues")},
        "members_url": f"{url}/members{{/member}}",
        "public_members_url": f"{url}/public_members{{/member}}",
        "description": None,
    }


def _compared(call: Call, repository: Repository, move: Move) -> str:
    if move.before == NOTHING:
        return page_url(call, repository, "commit", move.after)
    return page_url(call, repository, "compare", f"{move.before[:12]}...{move.after[:12]}")


def _new(git: GitRepository, move: Move) -> list[str]:
    """List the commits that a branch was given, oldest first."""
    if move.after == NOTHING or not move.ref.startswith("refs/heads/"):
        return []
    others = [f"--exclude={move.ref}", "--branches"] if move.before == NOTHING else [move.before]
    return git.text("rev-list", "--reverse", f"--max-count={_COMMITS}", move.after, "--not", *others).split()


def _holds(git: GitRepository, tip: str, sha: str) -> bool:
    try:
        git.run("merge-base", "--is-ancestor", sha, tip)
    except GitFailed:
        return False
    return True


def _commit(call: Call, repository: Repository, revision: str) -> dict[str, Any]:
    git = repository.git
    sha = str(git.resolve(revision))
    tree, author, author_email, committer, committer_email, time, message = git.text(
        "show", "--no-patch", f"--format={_FIELDS}", sha
    ).split("\0", 6)
    files: dict[str, list[str]] = {"added": [], "removed": [], "modified": []}
    options = ["-r", "--root", "-m", "--first-parent", "--no-commit-id", "--no-renames", "--name-status", "-z"]
    changed = git.text("diff-tree", *options, sha).split("\0")
    for kind, path in zip(changed[0::2], changed[1::2], strict=False):
        files[_KINDS.get(kind, "modified")].append(path)
    return {
        "id": sha,
        "tree_id": tree,
        "distinct": True,
        "message": message.rstrip("\n"),
        "timestamp": time,
        "url": page_url(call, repository, "commit", sha),
        "author": {"name": author, "email": author_email},
        "committer": {"name": committer, "email": committer_email},
        **files,
    }


def _seconds(time: str) -> int:
    return int(datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp())
