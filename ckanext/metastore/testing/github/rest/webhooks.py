"""A repository's webhooks."""

from __future__ import annotations

from typing import Any

from flask import Response

from ckanext.metastore.testing.github.accounts import now
from ckanext.metastore.testing.github.problems import invalid, not_found
from ckanext.metastore.testing.github.repositories import Repository
from ckanext.metastore.testing.github.rest.events import ping
from ckanext.metastore.testing.github.rest.routes import Call, Routes, answer, done

_HIDDEN = "********"


def register(routes: Routes) -> None:
    """Say what is answered here."""
    needs = "repository_hooks"
    routes.on_repository("GET", "/hooks", _list, needs=needs)
    routes.on_repository("POST", "/hooks", _create, needs=needs)
    routes.on_repository("GET", "/hooks/<int:hook_id>", _show, needs=needs)
    routes.on_repository("PATCH", "/hooks/<int:hook_id>", _change, needs=needs)
    routes.on_repository("DELETE", "/hooks/<int:hook_id>", _delete, needs=needs)


def _list(call: Call, repository: Repository) -> Response:
    hooks, headers = call.page([_shape(call, repository, number) for number in sorted(repository.hooks)])
    return answer(hooks, headers=headers)


def _create(call: Call, repository: Repository) -> Response:
    config = _config(call.body, {})
    events = call.body.get("events", ["push"])
    if any(_same(hook, config, events) for hook in repository.hooks.values()):
        reason = "Hook already exists on this repository"
        raise invalid("Hook", "base", "custom", reason)
    number = call.world.store.next_number()
    hook = {"config": config, "events": events, "active": bool(call.body.get("active", True)), "created_at": now()}
    kept = _keep(call, repository, number, hook)
    shown = _shape(call, kept, number)
    ping(call, kept, number, shown)
    return answer(shown, 201)


def _show(call: Call, repository: Repository, hook_id: int) -> Response:
    return answer(_shape(call, repository, hook_id))


def _change(call: Call, repository: Repository, hook_id: int) -> Response:
    hook = dict(_hook(repository, hook_id))
    wanted = call.body
    if "config" in wanted:
        hook["config"] = _config(wanted, hook["config"])
    events = set(wanted.get("events", hook["events"])) | set(wanted.get("add_events", ()))
    hook["events"] = sorted(events - set(wanted.get("remove_events", ())))
    hook["active"] = bool(wanted.get("active", hook["active"]))
    return answer(_shape(call, _keep(call, repository, hook_id, hook), hook_id))


def _delete(call: Call, repository: Repository, hook_id: int) -> Response:
    _hook(repository, hook_id)
    rest = {other: hook for other, hook in repository.hooks.items() if other != hook_id}
    call.world.repositories.change(repository.id, hooks=rest)
    return done()


def _keep(call: Call, repository: Repository, number: int, hook: dict[str, Any]) -> Repository:
    hooks = {**repository.hooks, number: {**hook, "updated_at": now()}}
    return call.world.repositories.change(repository.id, hooks=hooks)


def _hook(repository: Repository, number: int) -> dict[str, Any]:
    if number not in repository.hooks:
        raise not_found()
    return repository.hooks[number]


def _config(wanted: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    config = wanted.get("config")
    if not isinstance(config, dict) or not config.get("url"):
        raise invalid("Hook", "url", "missing_field")
    if not str(config["url"]).startswith(("http://", "https://")):
        raise invalid("Hook", "url", "custom", "url is missing a scheme")
    kept = {"secret": before["secret"]} if config.get("secret") == _HIDDEN and "secret" in before else {}
    return {"content_type": "form", "insecure_ssl": "0", **config, **kept}


def _same(hook: dict[str, Any], config: dict[str, Any], events: list[str]) -> bool:
    return hook["config"]["url"] == config["url"] and sorted(hook["events"]) == sorted(events)


def _shape(call: Call, repository: Repository, number: int) -> dict[str, Any]:
    hook = _hook(repository, number)
    url = f"{call.api}/repos/{repository.full_name}/hooks/{number}"
    config = {**hook["config"], **({"secret": _HIDDEN} if hook["config"].get("secret") else {})}
    return {
        "type": "Repository",
        "id": number,
        "name": "web",
        "active": hook["active"],
        "events": hook["events"],
        "config": config,
        "updated_at": hook["updated_at"],
        "created_at": hook["created_at"],
        "url": url,
        "test_url": f"{url}/test",
        "ping_url": f"{url}/pings",
        "deliveries_url": f"{url}/deliveries",
        "last_response": {"code": None, "status": "unused", "message": None},
    }
