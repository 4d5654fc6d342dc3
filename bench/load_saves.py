"""What clients save, one function for each kind."""

from __future__ import annotations

import random
from collections.abc import Callable

from load_client import Client
from load_park import Park, Slot

Kind = Callable[[Client, Slot], None]

HIDES = ("delete", "hide")
"""What makes a revision that is not public."""

REFUSED = (409,)
MAYBE = (200, 409)


def create(client: Client, slot: Slot, organization: str) -> None:
    """A dataset with two resources."""
    token = client.token()
    resources = [{"name": f"Survey {year}", "url": f"https://example.org/{year}.csv"} for year in (2025, 2026)]
    params = {"name": slot.name, "title": token, "owner_org": organization, "resources": resources}
    _dataset(client, slot, "create", "package_create", **params, tags=[{"name": "trees"}], revision_message=token)


def _patch(client: Client, slot: Slot) -> None:
    token = client.token()
    notes = f"Every tree that the city waters, as of {token}. " * random.randint(1, 20)
    _dataset(client, slot, "patch", "package_patch", title=token, notes=notes, revision_message=token)


def _guarded(client: Client, slot: Slot) -> None:
    """Save what was read, unless somebody else has saved meanwhile."""
    shown = client.read("show", "package_show", anonymous=False, id=slot.id)
    if shown:
        token, base = client.token(), shown["revision_id"]
        params = {"title": token, "revision_message": token, "base_revision": base}
        _dataset(client, slot, "patch, base_revision", "package_patch", MAYBE, **params)


def _refused(client: Client, slot: Slot) -> None:
    token = client.token()
    wrong = random.choice([{"name": "Not A Name"}, {"base_revision": "0" * 40}])
    _dataset(client, slot, "patch, wrong", "package_patch", REFUSED, title=token, revision_message=token, **wrong)


def _add_resource(client: Client, slot: Slot) -> None:
    token = client.token()
    params = {"package_id": slot.id, "name": token, "url": f"https://example.org/{token}.csv"}
    made = client.save("resource_create", "resource_create", slot.id, revision_message=token, **params)
    if made:
        slot.resources.append(made["id"])


def _change_resource(client: Client, slot: Slot) -> None:
    if slot.resources:
        token, resource = client.token(), random.choice(slot.resources)
        params = {"id": resource, "description": token, "revision_message": token}
        client.save("resource_patch", "resource_patch", slot.id, **params)


def _remove_resource(client: Client, slot: Slot) -> None:
    if len(slot.resources) > 1:
        token, resource = client.token(), slot.resources.pop()
        client.save("resource_delete", "resource_delete", slot.id, id=resource, revision_message=token)


def _tag(client: Client, slot: Slot) -> None:
    name = f"v-{client.token()}"
    made = client.save("tag", "dataset_tag_create", slot.id, id=slot.id, name=name, description="A release")
    if made:
        slot.tags[name] = made["revision_id"]


def _untag(client: Client, slot: Slot) -> None:
    if slot.tags:
        name, sha = slot.tags.popitem()
        if client.save("tag, delete", "dataset_tag_delete", slot.id, id=slot.id, tag=name) is None:
            slot.tags[name] = sha


def _revert(client: Client, slot: Slot) -> None:
    others = [(sha, title) for sha, title in slot.saved if title != slot.title]
    if others:
        token, (sha, _) = client.token(), random.choice(others)
        params = {"to_revision_ref": sha, "revision_message": token}
        _dataset(client, slot, "revert", "dataset_revert", **params)


def _rename(client: Client, slot: Slot) -> None:
    token = client.token()
    name = f"{slot.name.partition('--')[0]}--{token}"
    _dataset(client, slot, "rename", "package_patch", name=name, title=token, revision_message=token)


def _delete(client: Client, slot: Slot) -> None:
    """Delete it, and bring it back."""
    slot.unsteady = True
    client.save("delete", "package_delete", slot.id, id=slot.id, revision_message=client.token())
    token = client.token()
    _dataset(client, slot, "undelete", "package_patch", state="active", title=token, revision_message=token)


def _hide(client: Client, slot: Slot) -> None:
    """Make it private, save, and make it public again."""
    slot.unsteady = True
    for kind, changes in (("hide", {"private": True}), ("hide", {}), ("unhide", {"private": False})):
        token = client.token()
        _dataset(client, slot, kind, "package_patch", title=token, revision_message=token, **changes)


def purge(client: Client, slot: Slot, park: Park, organization: str) -> None:
    """Purge it, and make another one of the same name."""
    slot.unsteady = True
    if client.save("purge", "dataset_purge", slot.id, master=True, id=slot.id) is not None:
        create(client, park.replace(slot), organization)


def _dataset(
    client: Client, slot: Slot, kind: str, action: str, allowed: tuple[int, ...] = (200,), **params: object
) -> None:
    """Save by an action that answers with the dataset."""
    if slot.id:
        params = {"id": slot.id, **params}
    answer = client.save(kind, action, slot.id, allowed=allowed, **params)
    if answer:
        slot.learn(answer)


OWN: dict[Kind, int] = {
    _patch: 40,
    _add_resource: 12,
    _change_resource: 8,
    _remove_resource: 4,
    _tag: 8,
    _untag: 3,
    _revert: 6,
    _rename: 5,
    _delete: 3,
    _hide: 2,
    _refused: 3,
}
"""What is done to a dataset of one's own, and how often."""

SHARED: dict[Kind, int] = {_patch: 5, _guarded: 8, _add_resource: 3}
"""What is done to one that others save at the same time."""


def save(client: Client, park: Park, organization: str) -> None:
    """Save something."""
    if random.random() < 0.2:
        slot, kinds = random.choice(park.shared), SHARED
    else:
        slot, kinds = random.choice(park.own(client.number)), OWN
        if slot.id and random.random() < 0.02:
            purge(client, slot, park, organization)
            return
    (kind,) = random.choices(list(kinds), list(kinds.values()))
    if slot.id:
        kind(client, slot)
