"""Doing one thing to many, with a bar for people and JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext

import ckantoolkit as tk
import click

from ckanext.metastore.core import MetastoreError


def for_each(
    names: Sequence[str],
    act: Callable[[str], None],
    *,
    label: str,
    done: str,
    as_json: bool,
    again: type[MetastoreError] | None = None,
) -> int:
    """Do it to each; what fails does not stop the rest.

    :param label: what stands before the bar
    :param done: one word for what has been done
    :param again: what fails by this is tried once more when the rest is done, as long as that helps
    :returns: the exit status: 1 where something failed
    """
    with nullcontext(names) if as_json else click.progressbar(names, label=label) as each:
        failed = _fail(each, act)
    while again and (those := [name for name, error in failed.items() if isinstance(error, again)]):
        still = _fail(those, act)
        failed = {name: error for name, error in failed.items() if name not in those} | still
        if len(still) == len(those):
            break
    if as_json:
        click.echo(json.dumps({done: len(names) - len(failed), "failed": {name: str(failed[name]) for name in failed}}))
    else:
        click.echo(f"{done}: {len(names) - len(failed)}, failed: {len(failed)}")
        for name, reason in failed.items():
            tk.error_shout(f"{name}: {reason}")
    return 1 if failed else 0


def _fail(names: Iterable[str], act: Callable[[str], None]) -> dict[str, MetastoreError]:
    """Do it to each; gives those where it failed."""
    failed = {}
    for name in names:
        try:
            act(name)
        except MetastoreError as error:
            failed[name] = error
    return failed
