"""Datasets from before the plugin, and activities as CKAN, or an older CKAN, has written them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import uuid4

import ckan.plugins as p
from ckan import model
from ckan.tests import helpers
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT

PUBLIC = ("public",)

_ADD = text(
    "INSERT INTO activity (id, timestamp, user_id, object_id, activity_type, data, permission_labels)"
    " VALUES (:id, :timestamp, :user_id, :object_id, :activity_type, :data, :permission_labels)"
).bindparams(bindparam("permission_labels", type_=ARRAY(TEXT)))


@contextmanager
def before_the_plugin(*others: str) -> Iterator[None]:
    """What is done within is not recorded.

    :param others: plugins that are loaded meanwhile
    """
    p.unload("metastore")
    for other in others:
        p.load(other)
    try:
        yield
    finally:
        p.unload(*others)
        p.load("metastore")


def shown(dataset_id: str) -> dict[str, Any]:
    """The dataset as an activity of now would have it."""
    context = {"ignore_auth": True, "use_cache": False, "for_view": False}
    dataset = helpers.call_action("package_show", context, id=dataset_id)
    return {key: value for key, value in dataset.items() if key != "revision_id"}


def activity(
    dataset_id: str,
    data: Any,
    when: str,
    *,
    kind: str = "changed package",
    user_id: str | None = None,
    labels: tuple[str, ...] | None = PUBLIC,
) -> None:
    """Write a row.

    :param data: a dataset, or the text of the column
    """
    values = {"id": str(uuid4()), "timestamp": datetime.fromisoformat(when), "user_id": user_id}
    values |= {"object_id": dataset_id, "activity_type": kind, "permission_labels": labels and list(labels)}
    stored = data if data is None or isinstance(data, str) else json.dumps({"package": data, "actor": "somebody"})
    model.Session.execute(_ADD, {**values, "data": stored})
    model.Session.commit()


@contextmanager
def loggers_kept() -> Iterator[None]:
    """Have all loggers afterwards as they were: the migration of CKAN's activities silences ours."""
    loggers = [logging.root, *(item for item in logging.root.manager.loggerDict.values() if hasattr(item, "handlers"))]
    before = [(logger, logger.disabled, logger.level, logger.propagate, [*logger.handlers]) for logger in loggers]
    yield
    for logger, disabled, level, propagate, handlers in before:
        logger.disabled, logger.propagate, logger.handlers = disabled, propagate, handlers
        logger.setLevel(level)
