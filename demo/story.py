"""The YAML files as a story: who did what to which dataset, from the first day to the last."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import yaml

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Event:
    """One thing that one person did.

    :param at: when, in UTC
    :param by: the person's account
    :param what: the dataset is created, saved again, or a revision of it is tagged
    :param dataset: the dataset's name
    :param data: the dataset; or ``fields`` and ``resources`` to change; or the tag
    :param message: the revision's message
    """

    at: datetime
    by: str
    what: Literal["create", "change", "tag"]
    dataset: str
    data: dict[str, Any]
    message: str = ""


def portal() -> dict[str, Any]:
    """The people, organizations and groups."""
    return _read(FOLDER / "portal.yaml")


def events() -> list[Event]:
    """All that happened to the datasets, oldest first."""
    files = sorted((FOLDER / "datasets").glob("*.yaml"))
    return sorted((event for path in files for event in _story(_read(path))), key=lambda event: event.at)


def _story(story: dict[str, Any]) -> Iterator[Event]:
    name = story["dataset"]["name"]
    yield _event("create", name, {**story["created"], **story["dataset"]})
    for change in story.get("changes", ()):
        yield _event("change", name, change)
    for tag in story.get("tags", ()):
        yield _event("tag", name, tag)


def _event(what: Literal["create", "change", "tag"], dataset: str, entry: dict[str, Any]) -> Event:
    data = dict(entry)
    return Event(data.pop("at"), data.pop("by"), what, dataset, data, data.pop("message", ""))


def edited(dataset: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """The dataset after a change: fields replaced; resources, by name, replaced, added or (null) removed."""
    resources = {resource["name"]: resource for resource in dataset["resources"]}
    for name, fields in data.get("resources", {}).items():
        if fields is None:
            del resources[name]
        else:
            resources[name] = {"name": name, **resources.pop(name, {}), **fields}
    return {**dataset, **data.get("fields", {}), "resources": list(resources.values())}


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content
