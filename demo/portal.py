"""The portal as its people use it: everything goes through CKAN's actions, in somebody's name."""

from collections.abc import Mapping
from secrets import token_urlsafe
from typing import Any

from ckan.plugins import toolkit as tk
from werkzeug.datastructures import FileStorage

from demo.story import FOLDER, Event, edited

SYSADMIN = "sysadmin"
EDITOR = "editor"
READER = "reader"


def act(action: str, user: str, data: Mapping[str, Any], **more: Any) -> Any:
    """Call an action as a user, with the rights that the user has."""
    context: Any = {"user": user, **more}
    return tk.get_action(action)(context, dict(data))


def found(portal: dict[str, Any], passwords: Mapping[str, str]) -> None:
    """Create the people, the organizations and the groups."""
    site = act("get_site_user", "", {}, ignore_auth=True)["name"]
    people = [{"name": name, **person} for name, person in portal["people"].items()]
    for person in people:
        secret = passwords.get(person["name"]) or token_urlsafe(16)
        account = {**person, "email": f"{person['name']}@harrowmere.example", "password": secret}
        account.pop("role", None)
        act("user_create", site, account)
    act("user_patch", site, {"id": SYSADMIN, "sysadmin": True}, ignore_auth=True)
    editors = [{"name": person["name"], "capacity": "editor"} for person in people if person.get("role") == EDITOR]
    for name, organization in portal["organizations"].items():
        act("organization_create", SYSADMIN, {"name": name, **organization, "users": editors})
    for name, group in portal["groups"].items():
        act("group_create", SYSADMIN, {"name": name, **group, "users": editors})


def play(event: Event) -> None:
    """Let one event of the story happen."""
    if event.what == "create":
        _create(event)
    elif event.what == "change":
        dataset = act("package_show", event.by, {"id": event.dataset})
        _save("package_update", event, edited(dataset, event.data))
    else:
        act("dataset_tag_create", event.by, {"id": event.dataset, **event.data})


def _create(event: Event) -> None:
    """Create a dataset; one with files as CKAN's own form does: a draft first, for only an update takes files."""
    if any("file" in resource for resource in event.data["resources"]):
        draft = {**event.data, "resources": [], "state": "draft"}
        draft = act("package_create", event.by, draft, allow_state_change=True)
        _save("package_update", event, {**event.data, "id": draft["id"], "state": "active"})
    else:
        _save("package_create", event, event.data)


def _save(action: str, event: Event, dataset: Mapping[str, Any]) -> None:
    resources = [_resource(resource) for resource in dataset["resources"]]
    act(action, event.by, {**dataset, "resources": resources, "revision_message": event.message})


def tokens() -> dict[str, str]:
    """A token for each of the three roles."""
    roles = (SYSADMIN, EDITOR, READER)
    return {role: act("api_token_create", role, {"user": role, "name": "demo"})["token"] for role in roles}


def _resource(resource: Mapping[str, Any]) -> dict[str, Any]:
    """A resource of the story as CKAN takes it: where it names a file, that is uploaded."""
    fields = dict(resource)
    if name := fields.pop("file", None):
        stream = (FOLDER / "files" / name).open("rb")
        fields |= {"url": name, "url_type": "upload", "upload": FileStorage(stream, filename=name)}
    return fields
