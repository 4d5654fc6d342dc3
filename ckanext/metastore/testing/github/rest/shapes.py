"""Accounts and repositories as GitHub writes them."""

from __future__ import annotations

import base64
from typing import Any

from ckanext.metastore.testing.github.accounts import PERMISSIONS, Account, Token
from ckanext.metastore.testing.github.repositories import Repository
from ckanext.metastore.testing.github.rest.routes import Call

# Of each repository's parts: the property, and what its address ends in.
_PARTS = {
    "archive": "{archive_format}{/ref}",
    "assignees": "assignees{/user}",
    "blobs": "git/blobs{/sha}",
    "branches": "branches{/branch}",
    "collaborators": "collaborators{/collaborator}",
    "comments": "comments{/number}",
    "commits": "commits{/sha}",
    "compare": "compare/{base}...{head}",
    "contents": "contents/{+path}",
    "contributors": "contributors",
    "deployments": "deployments",
    "downloads": "downloads",
    "events": "events",
    "forks": "forks",
    "git_commits": "git/commits{/sha}",
    "git_refs": "git/refs{/sha}",
    "git_tags": "git/tags{/sha}",
    "hooks": "hooks",
    "issue_comment": "issues/comments{/number}",
    "issue_events": "issues/events{/number}",
    "issues": "issues{/number}",
    "keys": "keys{/key_id}",
    "labels": "labels{/name}",
    "languages": "languages",
    "merges": "merges",
    "milestones": "milestones{/number}",
    "notifications": "notifications{?since,all,participating}",
    "pulls": "pulls{/number}",
    "releases": "releases{/id}",
    "stargazers": "stargazers",
    "statuses": "statuses/{sha}",
    "subscribers": "subscribers",
    "subscription": "subscription",
    "tags": "tags",
    "teams": "teams",
    "trees": "git/trees{/sha}",
}
_USER_PARTS = {
    "events": "events{/privacy}",
    "followers": "followers",
    "following": "following{/other_user}",
    "gists": "gists{/gist_id}",
    "organizations": "orgs",
    "received_events": "received_events",
    "repos": "repos",
    "starred": "starred{/owner}{/repo}",
    "subscriptions": "subscriptions",
}
_NOT_TOLD = ("name", "company", "email", "hireable", "bio", "location")
_NONE = ("forks", "forks_count", "open_issues", "open_issues_count", "stargazers_count", "watchers", "watchers_count")


def node_id(kind: str, name: object) -> str:
    """Give an opaque id, such as GraphQL would take."""
    return f"{kind}_{base64.urlsafe_b64encode(str(name).encode()).decode().rstrip('=')}"


def simple_user(call: Call, account: Account) -> dict[str, Any]:
    """Give an account, as it stands in other things."""
    url = f"{call.api}/users/{account.login}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": node_id("O" if account.is_organization else "U", account.id),
        "avatar_url": f"{call.site}/avatars/u/{account.id}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{call.site}/{account.login}",
        **{f"{part}_url": f"{url}/{ending}" for part, ending in _USER_PARTS.items()},
        "type": account.kind,
        "user_view_type": "public",
        "site_admin": False,
    }


def public_user(call: Call, account: Account) -> dict[str, Any]:
    """Give an account as others see it."""
    return {
        **simple_user(call, account),
        **dict.fromkeys(_NOT_TOLD),
        "blog": "",
        "public_repos": call.world.repositories.count(account.login, private=False),
        **dict.fromkeys(("public_gists", "followers", "following"), 0),
        "created_at": account.created_at,
        "updated_at": account.created_at,
    }


def private_user(call: Call, account: Account) -> dict[str, Any]:
    """Give an account as its holder sees it."""
    private = call.world.repositories.count(account.login, private=True)
    return {
        **public_user(call, account),
        "user_view_type": "private",
        **dict.fromkeys(("private_gists", "disk_usage", "collaborators"), 0),
        "total_private_repos": private,
        "owned_private_repos": private,
        "two_factor_authentication": True,
    }


def organization(call: Call, account: Account) -> dict[str, Any]:
    """Give an organization in full."""
    url = f"{call.api}/orgs/{account.login}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": node_id("O", account.id),
        "url": url,
        **{f"{part}_url": f"{url}/{part}" for part in ("repos", "events", "hooks", "issues")},
        "members_url": f"{url}/members{{/member}}",
        "public_members_url": f"{url}/public_members{{/member}}",
        "avatar_url": f"{call.site}/avatars/u/{account.id}",
        "description": None,
        "html_url": f"{call.site}/{account.login}",
        "has_organization_projects": True,
        "has_repository_projects": True,
        "public_repos": call.world.repositories.count(account.login, private=False),
        **dict.fromkeys(("public_gists", "followers", "following"), 0),
        "type": "Organization",
        "created_at": account.created_at,
        "updated_at": account.created_at,
        "archived_at": None,
    }


def minimal_repository(call: Call, repository: Repository) -> dict[str, Any]:
    """Give a repository, as it stands in lists."""
    url = f"{call.api}/repos/{repository.full_name}"
    page = f"{call.site}/{repository.full_name}"
    return {
        "id": repository.id,
        "node_id": node_id("R", repository.id),
        "name": repository.name,
        "full_name": repository.full_name,
        "private": repository.private,
        "owner": simple_user(call, call.world.accounts.get(repository.owner)),
        "html_url": page,
        "description": repository.description,
        "fork": False,
        "url": url,
        **{f"{part}_url": f"{url}/{ending}" for part, ending in _PARTS.items()},
        "git_url": f"{page.replace('http', 'git', 1)}.git",
        "ssh_url": f"git@{call.site.partition('://')[2]}:{repository.full_name}.git",
        "clone_url": f"{page}.git",
        "svn_url": page,
        "mirror_url": None,
        "homepage": repository.homepage,
        "language": None,
        **dict.fromkeys(_NONE, 0),
        "size": 0,
        "default_branch": repository.default_branch,
        "is_template": False,
        "topics": list(repository.topics),
        **dict.fromkeys(("has_issues", "has_projects", "has_wiki", "has_downloads"), True),
        "has_pages": False,
        "has_discussions": False,
        "archived": repository.archived,
        "disabled": False,
        "visibility": "private" if repository.private else "public",
        "pushed_at": repository.pushed_at or repository.created_at,
        "created_at": repository.created_at,
        "updated_at": repository.updated_at,
        "license": None,
        "web_commit_signoff_required": False,
    }


def full_repository(call: Call, repository: Repository) -> dict[str, Any]:
    """Give a repository in full."""
    owner = call.world.accounts.get(repository.owner)
    return {
        **minimal_repository(call, repository),
        "permissions": _permissions(call, repository),
        "allow_forking": True,
        "network_count": 0,
        "subscribers_count": 0,
        **({"organization": simple_user(call, owner)} if owner.is_organization else {}),
    }


def app_permissions(token: Token | None = None) -> dict[str, str]:
    """Give what an App may do."""
    names = sorted(token.permissions if token else PERMISSIONS)
    return {name: "read" if name == "metadata" else "write" for name in names}


def _permissions(call: Call, repository: Repository) -> dict[str, bool]:
    mine = call.world.owns(call.token, repository.owner)
    return {"admin": mine, "maintain": mine, "push": mine, "triage": mine, "pull": True}
