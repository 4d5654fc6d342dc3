"""``ckan metastore export``: the histories, to take along or to serve without CKAN."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import ckantoolkit as tk
import click

from ckanext.metastore.cli.check import dataset_ids
from ckanext.metastore.core import MetastoreError
from ckanext.metastore.exporting import Export
from ckanext.metastore.model import checks


@click.command(short_help="Write the histories as plain Git repositories.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.argument("datasets", nargs=-1, metavar="[DATASET]...")
@click.option("--private", is_flag=True, help="Also whole histories, with all that was not public.")
@click.option("--json", "as_json", is_flag=True, help="Tell the result as JSON.")
def export(folder: Path, datasets: Sequence[str], private: bool, as_json: bool) -> None:
    """Write each DATASET, by id or name, or all, as a bare repository FOLDER/<organization>/<name>.git.

    What is there is moved forward, or left as it is. Exit status 1 where a history could not be written as a whole.
    """
    ids = dataset_ids(datasets)
    job = Export(folder, private)
    exported, failed = 0, {}
    with nullcontext(ids) if as_json else click.progressbar(ids, label="Exporting", file=sys.stderr) as each:
        for dataset_id in each:
            try:
                exported += job.write(dataset_id)
            except MetastoreError as error:
                failed[dataset_id] = str(error)
    left_out = len(ids) - exported - len(failed)
    if as_json:
        click.echo(json.dumps({"exported": exported, "left_out": left_out, "failed": failed}))
    else:
        click.echo(f"exported: {exported}, left out: {left_out}, failed: {len(failed)}")
        names = checks.names(failed)
        for dataset_id, reason in failed.items():
            tk.error_shout(f"{names.get(dataset_id, dataset_id)}: {reason}")
    raise SystemExit(1 if failed else 0)
