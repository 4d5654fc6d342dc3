"""Which repository at a Git host is which dataset's: what a backend for such a host asks for."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict

from ckanext.metastore.core.types import Hosted, Profile
from ckanext.metastore.service.database import Database


class IndexRegistry:
    """The index as a :class:`ckanext.metastore.core.backend.Registry`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, package_id: str) -> Hosted | None:
        """Give the dataset's repository; ``None`` where it has none."""
        return self.get_all([package_id]).get(package_id)

    def elsewhere(self, package_id: str) -> Hosted | None:  # noqa: ARG002
        """An index has one host."""
        return None

    def get_all(self, package_ids: Collection[str]) -> Mapping[str, Hosted]:
        """Give the repositories of those of the datasets that have one."""
        with self._database.read() as connection:
            query = f"SELECT * FROM hosted WHERE dataset_id IN ({', '.join('?' * len(package_ids))})"
            rows = connection.execute(query, list(package_ids)).fetchall()
        return {
            row["dataset_id"]: Hosted(row["host_id"], _profile(row["profile"]), bool(row["private"])) for row in rows
        }

    def put(self, package_id: str, hosted: Hosted) -> None:
        """Remember the dataset's repository, durably, at once."""
        values = (package_id, hosted.id, json.dumps(asdict(hosted.profile)), hosted.private)
        with self._database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO hosted VALUES (?, ?, ?, ?)", values)

    def forget(self, package_id: str) -> None:
        """The dataset's repository is gone."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM hosted WHERE dataset_id = ?", (package_id,))


def _profile(text: str) -> Profile:
    said = json.loads(text)
    return Profile(**{**said, "topics": tuple(said["topics"])})
