"""Comparing CKAN, the tables and the repositories, for every dataset; and putting right what can be.

Saves go on meanwhile. So what looks wrong is looked at once more, while nothing of that dataset is being published:
only what is found then is told.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from ckan import model
from ckan.lib.plugins import get_permission_labels

from ckanext.metastore import config, drift, publisher
from ckanext.metastore.core import MetastoreError
from ckanext.metastore.core.findings import FIRST, Expected, Finding
from ckanext.metastore.model import checks, waiting
from ckanext.metastore.model.checks import State

BATCH = 100
MESSAGE = "Record what was changed outside of CKAN"

_OURS = ("unrecorded", "waiting")
"""What is mended here, and not by the backend, after all that is: what waits may need a repository put right."""

_PAUSES = (0.2, 1.0)
"""Seconds. A save has committed, and takes the publishing lock; that takes milliseconds."""

_NO_DATASET = "bring the dataset back, or destroy its history: see docs/operations.rst"
_PULL = "decide which side counts: ckan metastore pull --strategy ours|theirs {id}"
_LOCKED = "look again later"
_NOT_SHOWN = "open the dataset's page, and look into CKAN's log: CKAN or a plugin fails"
_NO_HISTORY = "its next save begins one; so does: ckan metastore backfill"


@dataclass(frozen=True)
class Check:
    """How to look.

    :param thorough: compare every dataset field by field, read every object, ask a Git host for each branch
    :param complete: all datasets are given
    """

    thorough: bool = False
    complete: bool = False

    def find(self, dataset_ids: Iterable[str]) -> list[Finding]:
        """What is wrong. What is about one dataset was seen twice, the second time while nobody published it."""
        own: list[Finding] = []
        expected = self._expected(dataset_ids, own)
        there = config.backend().inspect(expected, thorough=self.thorough, complete=self.complete)
        found = [*there, *own]
        suspects = dict.fromkeys(finding.package_id for finding in found if finding.package_id)
        about_none = [finding for finding in found if not finding.package_id]
        return [*(finding for suspect in suspects for finding in self.confirm(suspect)), *about_none]

    def confirm(self, dataset_id: str) -> list[Finding]:
        """What is wrong with one dataset, seen while nobody publishes it.

        A save that is committed this moment is yet to be published. So what waits, and has met no error, is looked for
        again: only what waits all the time is told.
        """
        found, waits = self._seen(dataset_id), _under_way(dataset_id)
        for pause in _PAUSES:
            if not waits:
                break
            time.sleep(pause)
            now = _under_way(dataset_id)
            waits = None if now is None else waits & now
        return [finding for finding in found if finding.kind != "waiting" or waits is None or waits]

    def _seen(self, dataset_id: str) -> list[Finding]:
        own: list[Finding] = []
        try:
            with waiting.take(dataset_id, patience=config.publish_timeout()):
                expected = list(self._expected([dataset_id], own, purging=False))
                there = list(config.backend().inspect(expected, thorough=self.thorough))
        except MetastoreError as error:
            return [Finding("locked", dataset_id, str(error), _LOCKED)]
        return [*there, *own]

    def exposed(self, dataset_ids: Iterable[str]) -> list[Finding]:
        """Only what must be hidden at once, asked for nothing but what is not public."""
        secret = (expected for expected in self._expected(dataset_ids, None) if expected.public is False)
        return [finding for finding in config.backend().inspect(secret) if finding.kind in FIRST]

    def _expected(
        self, dataset_ids: Iterable[str], found: list[Finding] | None, *, purging: bool = True
    ) -> Iterator[Expected]:
        """What the repositories are to hold; what CKAN and the tables disagree on is put into ``found``.

        :param purging: also of datasets that are no more, whose repositories are to be destroyed: these are no orphans
        """
        remaining = iter(dataset_ids)
        while batch := list(islice(remaining, BATCH)):
            states = checks.states(batch)
            public = {state.dataset_id: _is_public(state) for state in states.values()}
            model.Session.rollback()
            for state in states.values():
                if found is not None:
                    found.extend(self._tables(state, public[state.dataset_id]))
                if purging or not state.purging:
                    shown = public[state.dataset_id]
                    yield state.expected(public=state.head_is_public if shown else shown)

    def _tables(self, state: State, public: bool | None) -> Iterator[Finding]:
        name = state.dataset_id
        if state.purging or state.waiting or state.waiting_tags:
            yield Finding("waiting", name, _what_waits(state), mends=True)
        if state.purging:
            return
        if state.refused:
            yield Finding("refused", name, state.refused, _PULL.format(id=name))
        if state.type is None:
            yield from [Finding("no-dataset", name, "CKAN has no such dataset", _NO_DATASET)] if state.head else []
        elif state.type in config.dataset_types():
            yield from self._against_ckan(state, public)

    def _against_ckan(self, state: State, public: bool | None) -> Iterator[Finding]:
        if state.head is None:
            if state.active:
                yield Finding("no-history", state.dataset_id, "it has no revision", _NO_HISTORY)
        elif self._may_differ(state, public):
            yield from _compared(state)

    def _may_differ(self, state: State, public: bool | None) -> bool:
        return self.thorough or public is not state.head_is_public or state.modified > state.head_time


def _compared(state: State) -> Iterator[Finding]:
    try:
        if drift.is_unrecorded(state.dataset_id):
            detail = f"CKAN's dataset is another than revision {state.head}"
            yield Finding("unrecorded", state.dataset_id, detail, mends=True)
    except Exception as error:  # whatever CKAN or a plugin raises: the others are to be looked at all the same
        detail = f"CKAN cannot show it: {type(error).__name__}: {error}"
        yield Finding("unrecorded", state.dataset_id, detail, _NOT_SHOWN)


def _under_way(dataset_id: str) -> set[str] | None:
    """What waits, and may be about to be published; None where nobody is about to."""
    state = checks.states([dataset_id])[dataset_id]
    model.Session.rollback()
    return None if state.error or state.purging else {*state.waiting, *state.waiting_tags}


def _is_public(state: State) -> bool | None:
    package = state.package
    return None if package is None else "public" in get_permission_labels().get_dataset_labels(package)


def _what_waits(state: State) -> str:
    parts = ["its repositories are to be destroyed"] if state.purging else []
    parts += [f"{len(state.waiting)} revisions wait"] if state.waiting else []
    parts += [f"tags wait: {', '.join(state.waiting_tags)}"] if state.waiting_tags else []
    return "; ".join(parts) + (f". The last error: {state.error}" if state.error else "")


def mend(check: Check, findings: Sequence[Finding]) -> tuple[list[Finding], dict[str, str]]:
    """Put right what can be put right.

    :returns: what is still wrong afterwards; and why, by dataset, where putting it right failed
    """
    left, failed = [], {}
    for name in dict.fromkeys(finding.package_id for finding in findings):
        mine = [finding for finding in findings if finding.package_id == name]
        curable = sorted((finding for finding in mine if finding.mends), key=_turn)
        if errors := _try(curable):
            failed[name] = errors[0]
        if name and curable:
            left += check.confirm(name)
        else:
            left += [finding for finding in mine if errors or not finding.mends]
    return left, failed


def _try(findings: Sequence[Finding]) -> list[str]:
    errors = []
    for finding in findings:
        try:
            _mend(finding)
        except Exception as error:  # one dataset's trouble is not the others'
            model.Session.rollback()
            errors.append(str(error) if isinstance(error, MetastoreError) else f"{type(error).__name__}: {error}")
    return errors


def _turn(finding: Finding) -> int:
    """Hide first; record and publish last."""
    return -1 if finding.kind in FIRST else _OURS.index(finding.kind) + 1 if finding.kind in _OURS else 0


def _mend(finding: Finding) -> None:
    if finding.kind == "unrecorded":
        drift.record_now(finding.package_id, MESSAGE)
        publisher.publish(finding.package_id)  # where that is a background job's, too: all is to be well afterwards
    elif finding.kind == "waiting":
        publisher.publish(finding.package_id, purge=True)
    elif not finding.package_id:
        config.backend().mend(Expected(""), finding)
    else:
        with waiting.take(finding.package_id, patience=config.publish_timeout()):
            for expected in Check()._expected([finding.package_id], None, purging=False):
                config.backend().mend(expected, finding)
