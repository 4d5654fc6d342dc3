"""What clients read, one function for each kind. What can be known of the answer is compared with it."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timezone

from load_client import Client
from load_park import Park, Slot

Kind = Callable[[Client, Slot, bool], None]


def _show(client: Client, slot: Slot, anonymous: bool) -> None:
    client.read("show", "package_show", slot, anonymous=anonymous, id=slot.id)


def _show_revision(client: Client, slot: Slot, anonymous: bool) -> None:
    sha, title = random.choice(slot.saved)
    params = {"id": slot.id, "revision_ref": sha}
    shown = client.read("show, revision_ref", "package_show", slot, anonymous=anonymous, **params)
    if shown and (shown["title"], shown["revision_id"]) != (title, sha):
        client.wrong.append(f"{slot.id} at {sha} was answered as {shown['title']}, not {title}")


def _show_as_of(client: Client, slot: Slot, anonymous: bool) -> None:
    params = {"id": slot.id, "as_of": datetime.now(timezone.utc).isoformat()}
    client.read("show, as_of", "package_show", slot, anonymous=anonymous, **params)


def _list(client: Client, slot: Slot, anonymous: bool) -> None:
    client.read("revision_list", "dataset_revision_list", slot, anonymous=anonymous, id=slot.id, limit=100)


def _diff(client: Client, slot: Slot, anonymous: bool) -> None:
    sha, _ = random.choice(slot.saved)
    client.read("diff", "revision_diff", slot, anonymous=anonymous, id=slot.id, revision_ref_a=sha)


def _tags(client: Client, slot: Slot, anonymous: bool) -> None:
    client.read("tag_list", "dataset_tag_list", slot, anonymous=anonymous, id=slot.id)


def _search(client: Client, _slot: Slot, anonymous: bool) -> None:
    client.read("search", "package_search", anonymous=anonymous, q="trees", rows=10, start=random.randrange(50))


def _page(client: Client, slot: Slot, _anonymous: bool) -> None:
    client.page("page", slot)


KINDS: dict[Kind, int] = {
    _show: 30,
    _show_revision: 20,
    _show_as_of: 10,
    _list: 12,
    _diff: 10,
    _tags: 6,
    _search: 8,
    _page: 4,
}
"""What is read, and how often."""


def read(client: Client, park: Park) -> None:
    """Read something, as an editor or as anybody."""
    slot = random.choice(park.slots)
    if slot.id and slot.saved:
        (kind,) = random.choices(list(KINDS), list(KINDS.values()))
        kind(client, slot, random.random() < 0.5)
