"""``ckan metastore publish``: what could not be published with its save."""

from __future__ import annotations

import click
from ckan import model

from ckanext.metastore import jobs, publisher
from ckanext.metastore.cli.progress import for_each
from ckanext.metastore.model import waiting


@click.command(short_help="Publish what waits.")
@click.argument("dataset", required=False)
@click.option("--all", "every", is_flag=True, help="All datasets that wait.")
@click.option("--json", "as_json", is_flag=True, help="Tell the result as JSON.")
def publish(dataset: str | None, every: bool, as_json: bool) -> None:
    """Publish what waits of one DATASET, by id or name, or of all.

    Each save is published by itself. This is for after an outage. Exit status 1 where something could not be published.
    """
    if bool(dataset) == every:
        raise click.UsageError("Name a dataset, or say --all")
    found = waiting.datasets() if every else [_id(dataset or "")]
    first = found[0] if found else None

    def one(dataset_id: str) -> None:
        # The first is tried whatever was: if the host is still down, the rest need not wait for it one by one.
        publisher.publish(dataset_id, purge=True, insist=dataset_id == first)

    status = for_each(found, one, label="Publishing", done="published", as_json=as_json)
    if status:
        jobs.wake_later()
    raise SystemExit(status)


def _id(dataset: str) -> str:
    package = model.Package.get(dataset)
    if package is None:
        raise click.UsageError(f"There is no dataset {dataset}")
    return str(package.id)
