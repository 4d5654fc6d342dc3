"""``ckan metastore``: what an operator does from the command line."""

from __future__ import annotations

import click

from ckanext.metastore.cli.backfill import backfill
from ckanext.metastore.cli.check import check
from ckanext.metastore.cli.export import export
from ckanext.metastore.cli.gc import gc
from ckanext.metastore.cli.publish import publish
from ckanext.metastore.cli.pull import pull
from ckanext.metastore.command import keys

__all__ = ["metastore"]


@click.group(short_help="Git history for every dataset.")
def metastore() -> None:
    """Look after the histories of this portal's datasets."""


metastore.add_command(backfill)
metastore.add_command(check)
metastore.add_command(export)
metastore.add_command(gc)
metastore.add_command(keys)
metastore.add_command(publish)
metastore.add_command(pull)
