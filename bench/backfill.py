"""How long ``ckan metastore backfill --from-activities`` takes for a portal's datasets, on the ``git`` backend.

The datasets are copies of one that CKAN made, and so are their activities: to make them by saves would take hours.
What is measured is the command as an operator runs it, the start of CKAN included.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from ckan import model
from measure import Figure, seconds
from portal import Dataset, Portal
from sqlalchemy import insert, select, text

RESOURCES = 3
REVISIONS = 5
BATCH = 500
TARGET = 60.0
"""Milliseconds for a dataset: 10,000 in ten minutes."""

_EXTRAS = getattr(model, "extra_table", None)  # of CKAN 2.11
_ROWS_OF_A_DATASET = [table for table in (model.resource_table, model.package_tag_table, _EXTRAS) if table is not None]


def figures(portal: Portal, count: int, revisions: int = REVISIONS) -> Iterator[Figure]:
    """The command, twice.

    :param count: how many datasets there are
    """
    portal.switch(on=False)
    template = portal.dataset(RESOURCES)["id"]
    portal.switch(on=True)
    shown = portal.shown(template)
    for start in range(0, count, BATCH):
        copy(shown, min(BATCH, count - start), revisions)
    first, second = measured(portal), measured(portal)
    assert (first.told["failed"], second.told["datasets"]) == ({}, 0)
    made = first.told["datasets"]
    title = f"backfill, {made:,} datasets, {first.told['revisions']:,} revisions"
    told = f"{first.told['revisions'] / first.seconds:.0f} revisions/s"
    yield Figure(title, f"{first.seconds:.1f} s", told, first.seconds / made * 1000, "ms/dataset", TARGET)
    processor = f"{first.processor_seconds:.1f} s, services not"
    yield Figure(f"{title}: processor", processor, "", first.processor_seconds / made * 1000, "ms/dataset")
    yield Figure(f"{title}, once more", f"{second.seconds:.1f} s", "", second.seconds / first.seconds, "x")


class Run(NamedTuple):
    """What one run of the command took, and told."""

    seconds: float
    processor_seconds: float
    told: dict[str, Any]


def measured(portal: Portal) -> Run:
    """Run the command for all datasets."""
    told: dict[str, Any] = {}
    before = _processor_seconds()
    taken = seconds(lambda: told.update(run(portal)))
    return Run(taken, _processor_seconds() - before, told)


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(portal: Portal) -> dict[str, Any]:
    """Run the command for all datasets; gives what it tells."""
    ckan = [Path(sys.executable).with_name("ckan"), "-c", os.environ["CKAN_INI"]]
    environment = {**os.environ, "CKANEXT__METASTORE__PATH": portal.folder}
    command = [*ckan, "metastore", "backfill", "--from-activities", "--json"]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def copy(shown: Dataset, count: int, revisions: int) -> None:
    """Make copies of a dataset, each with as many activities."""
    ids = {str(uuid4()): number for number in range(count)}
    packages = _rows(model.package_table, model.package_table.c.id == shown["id"])
    model.Session.execute(
        insert(model.package_table),
        [{**packages[0], "id": id_, "name": f"copy-{id_}", "title": str(revisions - 1)} for id_ in ids],
    )
    for table in _ROWS_OF_A_DATASET:
        for row in _rows(table, table.c.package_id == shown["id"]):
            _insert(table, [{**row, "id": _other_id(row["id"], id_), "package_id": id_} for id_ in ids])
    for row in _rows(model.member_table, model.member_table.c.table_id == shown["id"]):
        _insert(model.member_table, [{**row, "id": str(uuid4()), "table_id": id_} for id_ in ids])
    _insert_activities(shown, list(ids), revisions)
    model.Session.commit()


def _insert_activities(shown: Dataset, ids: list[str], revisions: int) -> None:
    add = text(
        "INSERT INTO activity (id, timestamp, user_id, object_id, activity_type, data) "
        "VALUES (:id, :timestamp, :user_id, :object_id, :activity_type, :data)"
    )
    first = datetime(2020, 1, 1)
    user = model.User.get(shown["creator_user_id"])
    activities = [
        {
            "id": str(uuid4()),
            "timestamp": first + timedelta(days=number),
            "user_id": user.id,
            "object_id": id_,
            "activity_type": "changed package" if number else "new package",
            "data": json.dumps({"package": _as_of(shown, id_, str(number)), "actor": user.name}),
        }
        for id_ in ids
        for number in range(revisions)
    ]
    model.Session.execute(add, activities)


def _as_of(shown: Dataset, dataset_id: str, title: str) -> Dataset:
    resources = [
        {**resource, "id": _other_id(resource["id"], dataset_id), "package_id": dataset_id}
        for resource in shown["resources"]
    ]
    return {**shown, "id": dataset_id, "name": f"copy-{dataset_id}", "title": title, "resources": resources}


def _other_id(of_the_template: str, dataset_id: str) -> str:
    return f"{of_the_template[:8]}-{dataset_id[9:]}"


def _rows(table: Any, condition: Any) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in model.Session.execute(select(table).where(condition))]


def _insert(table: Any, rows: list[dict[str, Any]]) -> None:
    model.Session.execute(insert(table), rows)
