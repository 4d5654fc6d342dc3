"""``ckan metastore publish``: what could not be published with its save."""

from __future__ import annotations

from collections.abc import Callable

import click
from ckan import model

from ckanext.metastore import jobs, publisher, pulling
from ckanext.metastore.cli.progress import for_each
from ckanext.metastore.model import waiting


@click.command(short_help="Publish what waits.")
@click.argument("dataset", required=False)
@click.option("--all", "every", is_flag=True, help="All datasets that wait.")
@click.option("--json", "as_json", is_flag=True, help="Tell the result as JSON.")
def publish(dataset: str | None, every: bool, as_json: bool) -> None:
    """Publish what waits of one DATASET, by id or name, or of all.

    Each save is published by itself. This is for after an outage. Where somebody has committed at the Git host, that is
    pulled first. Exit status 1 where something could not be published.
    """
    if bool(dataset) == every:
        raise click.UsageError("Name a dataset, or say --all")
    found = waiting.datasets() if every else [dataset_id(dataset or "")]
    status = for_each(found, _insistently(), label="Publishing", done="published", as_json=as_json)
    if status:
        jobs.wake_later()
    raise SystemExit(status)


def _insistently() -> Callable[[str], None]:
    """Try it whatever was before; once the host fails again, the rest need not wait for it one by one."""
    insist = True

    def one(dataset_id: str) -> None:
        nonlocal insist
        try:
            pulling.publish(dataset_id, insist=insist)
        except publisher.OF_THE_HOST:
            insist = False
            raise

    return one


def dataset_id(dataset: str) -> str:
    """The id of the dataset that was named by id or name."""
    package = model.Package.get(dataset)
    if package is None:
        raise click.UsageError(f"There is no dataset {dataset}")
    return str(package.id)
