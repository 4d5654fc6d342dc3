"""``ckan metastore backfill``: a history for each dataset that was there before the plugin."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import ckantoolkit as tk
import click
from ckan import model

from ckanext.metastore import backfilling, config, publisher
from ckanext.metastore.cli.crew import Act, Done, share_out
from ckanext.metastore.cli.pace import Pace
from ckanext.metastore.model import activities, backlog, waiting

_WHAT_TO_DO = "What failed is left as it was, or waits to be published: run the same command again"


@click.command(short_help="Begin the histories of datasets that are there already.")
@click.argument("dataset", nargs=-1)
@click.option("--from-activities", is_flag=True, help="Begin with what CKAN's activities tell of the past.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes; as many as processors, if left out.")
@click.option("--json", "as_json", is_flag=True, help="Tell the result as JSON.")
def backfill(dataset: tuple[str, ...], from_activities: bool, workers: int | None, as_json: bool) -> None:
    """Begin the history of each DATASET, by id or name, or of all that have none yet, and publish it.

    It may be interrupted and run again, and people may save meanwhile. Exit status 1 where something failed.
    """
    if from_activities and not activities.exist():
        raise click.UsageError("CKAN has no table of activities here: leave --from-activities out")
    chosen = [_id(name) for name in dataset] or None
    each = partial(_each, workers=workers or len(os.sched_getaffinity(0)), bar=not as_json and sys.stdout.isatty())
    result, failed = _record(chosen, each, from_activities)
    published = _publish(chosen, each)
    result["published"] = sum(not done.error for done in published)
    result["failed"] = failed | _failed(published)
    _tell(result, as_json)
    raise SystemExit(1 if result["failed"] else 0)


def _record(chosen: Sequence[str] | None, each: Any, from_activities: bool) -> tuple[dict[str, Any], dict[str, str]]:
    """Begin the histories: all of them before any is published, as a Git host may take hours.

    :returns: what to tell, and what failed
    """
    too_late = activities.before_histories(chosen) if from_activities else 0
    found = backlog.without_history(config.dataset_types(), chosen)
    act = partial(backfilling.backfill, from_activities=from_activities)
    done = each("Recording", found, act, Pace())
    outcomes = [one.value for one in done if not one.error]
    result = {
        "datasets": sum(outcome.revisions > 0 for outcome in outcomes),
        "revisions": sum(outcome.revisions for outcome in outcomes),
    }
    if from_activities:
        result |= {"unreadable_activities": sum(outcome.unreadable for outcome in outcomes)}
        result |= {"activities_too_old": too_late}
    return result, _failed(done)


def _publish(chosen: Sequence[str] | None, each: Any) -> list[Done]:
    """Publish what waits, whoever left it. First what has a repository: the rest may have to wait."""
    waits = set(waiting.datasets())
    waits = waits if chosen is None else waits & set(chosen)
    host = config.limiting_host()
    limited = backlog.without_repository(host) if host else frozenset[str]()
    act = partial(publisher.publish, purge=True)
    return each(
        "Publishing", sorted(waits, key=lambda dataset_id: (dataset_id in limited, dataset_id)), act, Pace(limited)
    )


def _each(label: str, names: Sequence[str], act: Act, pace: Pace, *, workers: int, bar: bool) -> list[Done]:
    """Do it to each, with a bar on a terminal."""
    done = []
    with click.progressbar(length=len(names), label=label) if bar and names else nullcontext() as shown:
        for one in share_out(names, act, workers=workers, pace=pace):
            done.append(one)
            if shown is not None:
                shown.update(1)
    return done


def _failed(done: Sequence[Done]) -> dict[str, str]:
    return {one.name: one.error for one in done if one.error}


def _tell(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(result))
        return
    failed = result["failed"]
    click.echo(", ".join(f"{name.replace('_', ' ')}: {n}" for name, n in {**result, "failed": len(failed)}.items()))
    for dataset_id, reason in failed.items():
        tk.error_shout(f"{dataset_id}: {reason}")
    if failed:
        tk.error_shout(_WHAT_TO_DO)


def _id(dataset: str) -> str:
    package = model.Package.get(dataset)
    if package is None:
        raise click.UsageError(f"There is no dataset {dataset}")
    return str(package.id)
