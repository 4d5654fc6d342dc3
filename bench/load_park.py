"""The datasets that the clients read and save, as far as the clients know them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

SHARED = 8
"""So many datasets belong to everybody: they are saved by many at once."""


@dataclass(eq=False)
class Slot:
    """A dataset.

    :ivar shared: whether many save it at once
    :ivar id: empty until it is made
    :ivar title: the newest that was answered
    :ivar saved: sha and title of the revisions that can be read by all
    :ivar resources: the ids of what it holds
    :ivar tags: each tag's name, and its revision
    :ivar unsteady: whether it was hidden or deleted at some time: who reads it may be told that there is none
    """

    name: str
    shared: bool = False
    id: str = ""
    title: str = ""
    saved: list[tuple[str, str]] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    unsteady: bool = False

    def learn(self, answer: dict[str, Any]) -> None:
        """Remember a dataset that was answered to a save."""
        self.id, self.name, self.title = answer["id"], answer["name"], answer["title"]
        self.resources = [resource["id"] for resource in answer["resources"]]
        if not answer["private"]:
            self.saved.append((answer["revision_id"], answer["title"]))


class Park:
    """All datasets. Each belongs to one client, but for the first ones, which are shared.

    :param size: how many there are
    """

    def __init__(self, size: int, clients: int) -> None:
        self.slots = [Slot(f"dataset-{number:04}", shared=number < SHARED) for number in range(size)]
        self.shared = self.slots[:SHARED]
        self._clients = clients
        self._unmade = iter(self.slots)
        self._lock = threading.Lock()

    def own(self, client: int) -> list[Slot]:
        """Those that belong to a client."""
        return self.slots[SHARED + client :: self._clients]

    def unmade(self) -> Slot | None:
        """One that nobody makes yet, while there is one."""
        with self._lock:
            return next(self._unmade, None)

    def replace(self, slot: Slot) -> Slot:
        """Put a new one in the place of one that is gone."""
        new = Slot(slot.name)
        self.slots[self.slots.index(slot)] = new
        return new
