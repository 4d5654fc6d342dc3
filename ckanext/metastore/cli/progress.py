"""Doing one thing to many, with a bar for people and JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext

import ckantoolkit as tk
import click

from ckanext.metastore.core import MetastoreError


def for_each(names: Sequence[str], act: Callable[[str], None], *, label: str, done: str, as_json: bool) -> int:
    """Do it to each; what fails does not stop the rest.

    :param label: what stands before the bar
    :param done: one word for what has been done
    :returns: the exit status: 1 where something failed
    """
    failed = {}
    with nullcontext(names) if as_json else click.progressbar(names, label=label) as each:
        for name in each:
            try:
                act(name)
            except MetastoreError as error:
                failed[name] = str(error)
    if as_json:
        click.echo(json.dumps({done: len(names) - len(failed), "failed": failed}))
    else:
        click.echo(f"{done}: {len(names) - len(failed)}, failed: {len(failed)}")
        for name, reason in failed.items():
            tk.error_shout(f"{name}: {reason}")
    return 1 if failed else 0
