"""Bringing into CKAN what others have committed to a dataset's branch.

What they wrote is merged with what CKAN has and saved by ``package_update``, with all of CKAN's validators, as a
configured account that must itself be allowed to do so. Where that cannot be, CKAN stays as it is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal

import ckantoolkit as tk
from ckan import model

from ckanext.metastore import config, foreign, intent, mapper, publisher, recorder, recording, reverting
from ckanext.metastore.core import Conflict, Invalid, MetastoreError, NotFound
from ckanext.metastore.core.document import parse_document
from ckanext.metastore.core.merge import merge
from ckanext.metastore.core.saying import N_
from ckanext.metastore.core.types import Clash, Document, Theirs
from ckanext.metastore.model import pulls, queries, waiting
from ckanext.metastore.model.pulls import Divergence

log = logging.getLogger(__name__)

Dataset = dict[str, Any]

Strategy = Literal["merge", "ours", "theirs"]

STRATEGIES: tuple[Strategy, ...] = ("merge", "ours", "theirs")

ATTEMPTS = 3
"""So often it is begun anew where somebody saves the dataset meanwhile."""

_CLAIM = 60.0
_JOINED = "Join what was committed at the Git host"
_KEPT_OURS = "Keep what CKAN has, and join what was committed at the Git host"


class Diverged(Conflict):
    """Somebody's commit cannot come into CKAN, or not without a decision. CKAN is as it was.

    :param sha: the commit; empty where it cannot be read
    :param clashes: what both sides have changed, each in its own way
    """

    def __init__(self, sha: str, reason: str, clashes: tuple[Clash, ...] = ()) -> None:
        what = f"commit {sha}" if sha else "what was committed"
        super().__init__(f"{what} at the Git host is not in CKAN: {reason}")
        self.sha, self.reason, self.clashes = sha, reason, clashes


@dataclass(frozen=True)
class Pulled:
    """What came of a pull.

    :param sha: the commit that came in; ``None`` where there was none
    :param head: the dataset's newest revision now
    """

    sha: str | None
    head: str | None


def pull(dataset_id: str, *, strategy: Strategy = "merge") -> Pulled:
    """Bring in what others have committed to the dataset's branch.

    :param strategy: ``merge`` brings both sides together, field by field; where both have changed a field, ``theirs``
        takes it as it is at the Git host. ``ours`` leaves CKAN's dataset as it is. All that was committed stays in the
        history, whichever side it is on
    :raises Diverged: it cannot come in; the reason is kept, and told at the Git host
    :raises Invalid: no account is configured to pull as
    :raises MetastoreError: not now
    """
    if not config.pull_user():
        raise Invalid("ckanext.metastore.pull_user", N_("is not set: name the account that pulls"))
    with suppress(Conflict):  # which asks for a pull
        publisher.publish(dataset_id, purge=True, insist=True)
    pulls.claim(dataset_id, _CLAIM)
    for _ in range(ATTEMPTS):
        try:
            published, theirs = _look(dataset_id)
            if theirs is not None:
                _bring_in(dataset_id, published, theirs, strategy)
        except _Moved:
            continue
        except Diverged as error:
            _refuse(dataset_id, error)
            raise
        return _done(dataset_id, theirs)
    raise Conflict("the dataset is saved again and again; pull later")


def _done(dataset_id: str, theirs: Theirs | None) -> Pulled:
    pulls.settle(dataset_id)
    if theirs is not None:
        with suppress(MetastoreError):
            publisher.publish(dataset_id)
        _report(dataset_id, theirs.head.sha, accepted=True, reason="It is in CKAN")
    return Pulled(theirs.head.sha if theirs else None, queries.heads(dataset_id)[0])


def publish(dataset_id: str, *, insist: bool = False) -> None:
    """Publish what waits of a dataset; where somebody else has moved its branch, pull first.

    :raises MetastoreError: it cannot be done now
    """
    try:
        publisher.publish(dataset_id, purge=True, insist=insist)
    except Conflict:
        if not config.pull_user():
            raise
        pull(dataset_id)
        publisher.publish(dataset_id, insist=insist)


def _look(dataset_id: str) -> tuple[str | None, Theirs | None]:
    """Ask where the branch is, while nobody publishes the dataset.

    :returns: the newest revision that is published, and what is there instead
    :raises Diverged: what is there cannot be read, or has nothing in common with what was published
    """
    with waiting.take(dataset_id, patience=config.publish_timeout(), host=config.host()):
        published = queries.published(dataset_id)
        model.Session.rollback()
        try:
            return published, config.backend().theirs(dataset_id, ours=published) if published else None
        except NotFound:
            return published, None
        except (Conflict, Invalid) as error:
            raise Diverged("", str(error)) from error


# -- bringing it in -------------------------------------------------------------------------------------------------


class _Moved(Exception):
    """Somebody has saved, or pulled, the dataset meanwhile."""


def _bring_in(dataset_id: str, published: str | None, theirs: Theirs, strategy: Strategy) -> None:
    """Save what results, on the head that it was worked out on.

    :param published: the newest revision that was published when ``theirs`` was looked for
    :raises Diverged: it cannot be
    :raises _Moved: somebody has saved, or pulled, the dataset meanwhile
    """
    with _as_refusals(theirs.head.sha):
        _save(dataset_id, published, theirs, strategy)


@contextmanager
def _as_refusals(sha: str) -> Iterator[None]:
    """Turn what CKAN, or we, refuse into :class:`Diverged`; whatever was written is rolled back."""
    model.Session.rollback()
    try:
        yield
    except Exception as error:
        model.Session.rollback()
        if isinstance(error, tk.ValidationError) and "base_revision" in error.error_dict:
            raise _Moved from error
        if isinstance(error, MetastoreError) and not isinstance(error, (Conflict, Invalid, NotFound)):
            raise  # not now
        if isinstance(error, (Diverged, _Moved)):
            raise
        raise Diverged(sha, _reason(error)) from error


def _reason(error: Exception) -> str:
    if isinstance(error, tk.ValidationError):
        return _sentence(error.error_dict)
    if isinstance(error, tk.NotAuthorized):
        return f"the account {config.pull_user()} may not make this change: {error}"
    if isinstance(error, (MetastoreError, tk.ObjectNotFound)):
        return str(error)
    log.exception("CKAN or a plugin failed to save what was committed at the Git host")
    return f"CKAN or a plugin failed, with {type(error).__name__}; CKAN's log says more"


def _save(dataset_id: str, published: str | None, theirs: Theirs, strategy: Strategy) -> None:
    context = {"user": config.pull_user(), "ignore_auth": False}
    tk.check_access("package_update", dict(context), {"id": dataset_id})
    if not recording.is_public(model.Package.get(dataset_id)):
        raise Conflict("the dataset is not public: nothing is pulled into it")
    head = queries.heads(dataset_id)[0]
    ours = mapper.recorded(recording.show(model.Session(), dataset_id))
    if queries.published(dataset_id) != published:
        raise _Moved  # another pull brought it in: ours is compared with what theirs was built on no more
    document, target = (None, None)
    if strategy != "ours":
        document = _document(dataset_id, theirs)
        target = _merged(dataset_id, theirs, document, ours, strategy)
    message = _KEPT_OURS if target is None else _JOINED
    with intent.saving(config.pull_user(), message, head) as meant:
        meant.joins[dataset_id] = (theirs, document or {})
        if target is not None:
            target["resources"] = reverting.prepared(target["resources"])
            tk.get_action("package_update")(context, target)
        if dataset_id in meant.joins:
            # CKAN had nothing to write.
            recorder.touched(model.Session(), dataset_id, abandoned=False)
            model.Session.commit()


def _document(dataset_id: str, theirs: Theirs) -> Document:
    if theirs.size is None:
        raise Invalid("datapackage.json", "is gone")
    if theirs.size > foreign.MAX_SIZE:
        raise Invalid("datapackage.json", f"has {theirs.size:,} bytes; at most {foreign.MAX_SIZE:,} are read")
    return foreign.read(config.backend().load(dataset_id, sha=theirs.head.sha), dataset_id)


def _merged(dataset_id: str, theirs: Theirs, document: Document, ours: Dataset, strategy: Strategy) -> Dataset:
    """The dataset that both sides make together.

    :raises Diverged: they clash, or published revisions are gone, and it was not said which side counts
    """
    sha = theirs.head.sha
    if theirs.lost and strategy == "merge":
        raise Diverged(sha, "the branch has lost revisions that were published")
    base = mapper.to_dataset(parse_document(config.backend().load(dataset_id, sha=theirs.base)))
    wanted = foreign.dataset(document, base, ours)
    sides = (wanted, ours) if strategy == "theirs" else (ours, wanted)
    merged = merge(base, *sides)
    if merged.clashes and strategy == "merge":
        names = ", ".join(" / ".join(clash.path) for clash in merged.clashes)
        raise Diverged(sha, f"CKAN and the commit have both changed {names}", merged.clashes)
    foreign.check_changes(ours, merged.document)
    return merged.document


def _sentence(errors: Any) -> str:
    """CKAN's errors of validation on one line: each field, and what is wrong with it."""
    if isinstance(errors, dict):
        return "; ".join(f"{name}: {said}" for name, value in errors.items() if (said := _sentence(value)))
    if isinstance(errors, list):
        return ", ".join(said for item in errors if (said := _sentence(item)))
    return str(errors)


# -- telling of it --------------------------------------------------------------------------------------------------


def _refuse(dataset_id: str, error: Diverged) -> None:
    before = pulls.divergence(dataset_id)
    clashes = [pulls.clash(clash) for clash in error.clashes]
    pulls.refuse(dataset_id, Divergence(error.sha, error.reason, clashes, int(time.time())))
    if error.sha and (before is None or (before.sha, before.reason) != (error.sha, error.reason)):
        _report(dataset_id, error.sha, accepted=False, reason=error.reason)


def _report(dataset_id: str, sha: str, *, accepted: bool, reason: str) -> None:
    """Say at the Git host what became of a commit; where that fails, it is only not said."""
    try:
        config.backend().report(dataset_id, sha=sha, accepted=accepted, reason=reason)
    except MetastoreError as error:
        log.warning("The Git host could not be told what became of a commit: %s", error)
