"""What ``ckan metastore check`` said, and changes that pass by CKAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ckan import model
from sqlalchemy import text

from ckanext.metastore.tests.examples import ROOT, blocks


@dataclass(frozen=True)
class Answer:
    """What the command said."""

    exit_code: int
    found: list[dict[str, Any]]
    failed: dict[str, str]

    @property
    def kinds(self) -> list[str]:
        return [finding["kind"] for finding in self.found]


def sql(statement: str, **values: Any) -> None:
    """Change the database past CKAN's object-relational mapper."""
    model.Session.execute(text(statement), values)
    model.Session.commit()


def nothing_waits() -> None:
    """Whatever other tests have left to be published, or pulled, is as if it were done."""
    sql("UPDATE metastore_revision SET published = true")
    sql("UPDATE metastore_tag SET pending = NULL")
    sql("UPDATE metastore_dataset SET purging = false")
    sql("UPDATE metastore_repository SET error = NULL, attempts = 0, retry_at = NULL")
    sql("DELETE FROM metastore_pull")


def statements(section: str, dataset_id: str) -> str:
    """The SQL that docs/operations.rst gives in a section, for one dataset."""
    (block,) = (block for block in blocks(ROOT / "docs/operations.rst", "sql") if block.section == section)
    inner = block.text.replace("BEGIN;", "").replace("COMMIT;", "")
    return inner.replace("'ID'", f"'{dataset_id}'")
