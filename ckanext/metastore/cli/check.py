"""``ckan metastore check``: whether all is well, and what to do where it is not."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import click
from ckan import model

from ckanext.metastore import checking, config
from ckanext.metastore.checking import Check
from ckanext.metastore.core.findings import KINDS, Finding
from ckanext.metastore.model import checks


@click.command(short_help="Look whether all is well.")
@click.argument("datasets", nargs=-1, metavar="[DATASET]...")
@click.option("--thorough", is_flag=True, help="Compare every field, read every object, ask GitHub for every branch.")
@click.option("--fix", is_flag=True, help="Put right what can be put right without a decision.")
@click.option("--json", "as_json", is_flag=True, help="Tell the result as JSON.")
def check(datasets: Sequence[str], thorough: bool, fix: bool, as_json: bool) -> None:
    """Compare CKAN, the tables, the folder and GitHub, for each DATASET, by id or name, or for all.

    Named datasets are looked at thoroughly. Exit status 1 where something is wrong; with --fix, where something is
    wrong still. Nothing is deleted, no history is changed.
    """
    ids = dataset_ids(datasets)
    how = Check(thorough=thorough or bool(datasets), complete=not datasets)
    hidden = checking.mend(how, how.exposed(ids)) if fix else ([], {})
    with nullcontext(ids) if as_json else click.progressbar(ids, label="Checking", file=sys.stderr) as each:
        found = how.find(each)
    left, failed = checking.mend(how, found) if fix else (found, {})
    (_tell_json if as_json else _tell)(len(ids), left, hidden[1] | failed, len(found))
    raise SystemExit(1 if left else 0)


def _tell_json(checked: int, left: Sequence[Finding], failed: dict[str, str], _found: int) -> None:
    names = checks.names({finding.package_id for finding in left})
    found = [_entry(finding, names) for finding in left]
    click.echo(json.dumps({"checked": checked, "found": found, "failed": failed}))


def _entry(finding: Finding, names: dict[str, str]) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "id": finding.package_id or None,
        "name": names.get(finding.package_id),
        "detail": finding.detail,
        "remedy": _remedy(finding),
        "mends": finding.mends,
    }


def _remedy(finding: Finding) -> str:
    return f"ckan metastore check --fix {finding.package_id}".rstrip() if finding.mends else finding.remedy


def _tell(checked: int, left: Sequence[Finding], failed: dict[str, str], found: int) -> None:
    names = checks.names({finding.package_id for finding in left})
    for finding in left:
        name = names.get(finding.package_id, finding.package_id)
        click.echo(
            f"{finding.kind}: {name}: {KINDS[finding.kind]}" if name else f"{finding.kind}: {KINDS[finding.kind]}"
        )
        click.echo(f"    {finding.detail}")
        click.echo(f"    -> {_remedy(finding)}")
        if finding.package_id in failed:
            click.echo(f"    It was tried: {failed[finding.package_id]}")
    kinds = ", ".join(f"{kind}: {number}" for kind, number in Counter(finding.kind for finding in left).items())
    click.echo(f"checked: {checked}, found: {found}, left: {len(left)}" + (f" ({kinds})" if kinds else ""))


def dataset_ids(datasets: Sequence[str]) -> list[str]:
    """The ids of datasets that are given by id or name; of all, where none is."""
    return [_id(dataset) for dataset in datasets] or checks.datasets(config.dataset_types())


def _id(dataset: str) -> str:
    package = model.Package.get(dataset)
    if package is not None:
        return str(package.id)
    state = checks.states([dataset])[dataset]
    if state.head is None and not state.purging:
        raise click.UsageError(f"There is no dataset {dataset}")
    return dataset
