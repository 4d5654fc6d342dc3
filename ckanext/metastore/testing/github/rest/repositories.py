"""The life of a repository: create, rename, transfer, delete."""

from __future__ import annotations

from typing import Any

from flask import Response

from ckanext.metastore.testing.github import names
from ckanext.metastore.testing.github.problems import Problem, archived, forbidden, invalid, not_found
from ckanext.metastore.testing.github.repositories import Repository
from ckanext.metastore.testing.github.rest.routes import Call, Routes, answer, done
from ckanext.metastore.testing.github.rest.shapes import full_repository, minimal_repository

_CREATION = "Repository creation failed."
_UPDATE = "Validation Failed"


def register(routes: Routes) -> None:
    """Say what is answered here."""
    routes.add("POST", "/user/repos", _create_mine)
    routes.add("POST", "/orgs/<login>/repos", _create_in_organization)
    routes.add("GET", "/user/repos", _list_mine)
    routes.add("GET", "/orgs/<login>/repos", _list_of_organization)
    routes.on_repository("GET", "", _show)
    routes.on_repository("PATCH", "", _change, needs="administration", even_archived=True)
    routes.on_repository("DELETE", "", _delete, needs="administration", even_archived=True)
    routes.on_repository("POST", "/transfer", _transfer, needs="administration", even_archived=True)


def _create_mine(call: Call) -> Response:
    return _create(call, call.permit("administration").owner)


def _create_in_organization(call: Call, login: str) -> Response:
    account = call.world.accounts.get(login)
    if not account.is_organization:
        raise not_found()
    if not call.world.owns(call.bearer, account.login):
        raise forbidden("You need admin access to the organization before adding a repository to it.")
    call.permit("administration")
    return _create(call, account.login)


def _list_mine(call: Call) -> Response:
    """Only those that one owns, which GitHub gives where it is asked for these."""
    return _list(call, call.bearer.owner)


def _list_of_organization(call: Call, login: str) -> Response:
    account = call.world.accounts.get(login)
    if not account.is_organization:
        raise not_found()
    return _list(call, account.login)


def _list(call: Call, owner: str) -> Response:
    seen = [one for one in call.world.repositories.owned(owner) if call.world.sees(call.token, one)]
    page, headers = call.page(seen)
    return answer([minimal_repository(call, one) for one in page], headers=headers)


def _create(call: Call, owner: str) -> Response:
    wanted = call.body
    repository = call.world.repositories.create(
        call.world.accounts.get(owner).login,
        names.repository_name(wanted.get("name"), _CREATION),
        _CREATION,
        private=_is_private(wanted, default=False),
        description=names.description(wanted.get("description"), _CREATION),
        homepage=wanted.get("homepage"),
    )
    shown = full_repository(call, repository)
    return answer(shown, 201, {"Location": shown["url"]})


def _show(call: Call, repository: Repository) -> Response:
    return answer(full_repository(call, repository))


def _change(call: Call, repository: Repository) -> Response:
    wanted = call.body
    if repository.archived and wanted.get("archived") is not False:
        raise archived()
    settings = _settings(wanted, repository)
    if "default_branch" in wanted:
        _choose_branch(repository, str(wanted["default_branch"]))
    if "name" in wanted:
        name = names.repository_name(wanted["name"], _UPDATE)
        repository = call.world.repositories.move(repository.id, repository.owner, name, _UPDATE)
    return answer(full_repository(call, call.world.repositories.change(repository.id, **settings)))


def _settings(wanted: dict[str, Any], repository: Repository) -> dict[str, Any]:
    settings: dict[str, Any] = {"private": _is_private(wanted, default=repository.private)}
    if "description" in wanted:
        settings["description"] = names.description(wanted["description"], _UPDATE)
    if "homepage" in wanted:
        settings["homepage"] = wanted["homepage"]
    if "archived" in wanted:
        settings["archived"] = bool(wanted["archived"])
    return settings


def _choose_branch(repository: Repository, branch: str) -> None:
    if branch not in repository.git.branches():
        reason = f"The branch {branch} was not found. Please push that ref first or create it via the Git Data API."
        raise invalid("Repository", "default_branch", "invalid", reason)
    repository.git.set_default_branch(branch)


def _is_private(wanted: dict[str, Any], *, default: bool) -> bool:
    if wanted.get("visibility") in ("public", "private"):
        return bool(wanted["visibility"] == "private")
    if "visibility" in wanted:
        raise Problem(422, "Validation Failed", errors=["Visibility must be public or private here."])
    return bool(wanted.get("private", default))


def _delete(call: Call, repository: Repository) -> Response:
    call.world.repositories.delete(repository.id)
    return done()


def _transfer(call: Call, repository: Repository) -> Response:
    """GitHub answers what it was before, and may take its time; here it is done at once."""
    wanted = call.body
    try:
        owner = call.world.accounts.get(str(wanted.get("new_owner", ""))).login
    except Problem:
        raise invalid("Repository", "new_owner", "invalid") from None
    if not call.world.owns(call.bearer, owner):
        raise forbidden("You don't have the permission to create repositories on that account.")
    name = names.repository_name(wanted.get("new_name") or repository.name, _UPDATE)
    shown = minimal_repository(call, repository)
    call.world.repositories.move(repository.id, owner, name, _UPDATE)
    return answer(shown, 202)
