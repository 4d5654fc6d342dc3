"""``ckan metastore pull``: what others have committed at the Git host."""

from __future__ import annotations

import click

from ckanext.metastore import pulling
from ckanext.metastore.cli.progress import for_each
from ckanext.metastore.cli.publish import dataset_id
from ckanext.metastore.model import pulls


@click.command(short_help="Bring in what others have committed at the Git host.")
@click.argument("dataset", required=False)
@click.option("--all", "every", is_flag=True, help="All datasets that the webhook has told of, or that have diverged.")
@click.option("--strategy", type=click.Choice(pulling.STRATEGIES), default="merge", help="Which side counts.")
@click.option("--json", "as_json", is_flag=True, help="Tell the result as JSON.")
def pull(dataset: str | None, every: bool, strategy: pulling.Strategy, as_json: bool) -> None:
    """Bring into CKAN what was committed to one DATASET's branch, by id or name, or to those of all that are known of.

    "merge" brings both sides together, field by field, and does nothing where both have changed the same field.
    "theirs" takes such fields as they are at the Git host; "ours" leaves the dataset as it is in CKAN. Exit status 1
    where something is not in CKAN.
    """
    if bool(dataset) == every:
        raise click.UsageError("Name a dataset, or say --all")
    if every and strategy != "merge":
        raise click.UsageError("Decide for one dataset at a time which side counts")
    found = pulls.known() if every else [dataset_id(dataset or "")]

    def one(dataset_id: str) -> None:
        pulling.pull(dataset_id, strategy=strategy)

    raise SystemExit(for_each(found, one, label="Pulling", done="pulled", as_json=as_json))
