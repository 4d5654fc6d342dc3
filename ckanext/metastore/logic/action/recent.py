"""What has happened lately in all datasets."""

from __future__ import annotations

from itertools import islice
from typing import Any

import ckantoolkit as tk

from ckanext.metastore.logic import dictize, schema
from ckanext.metastore.logic.access import Context, may
from ckanext.metastore.model import recent


@tk.side_effect_free
def site_revision_list(context: Context, data_dict: dict[str, Any]) -> list[dict[str, Any]]:
    """List the newest revisions of all public datasets together, newest first.

    Only revisions that were recorded while their dataset was public are in it, whoever asks.

    :param limit: how many to list, from 1 to 100 (optional, default: 20)
    :type limit: int

    :returns: a list of dicts as in ``dataset_revision_list``, and ``dataset``, a dict with its ``id``, ``name``,
        ``title`` and ``type``
    :rtype: list of dicts
    """
    limit = schema.validate(data_dict, schema.recent())["limit"]
    tk.check_access("site_revision_list", context, data_dict)
    # The newest revisions are in as many datasets at most, and these are the first ones.
    visible = (package for package in recent.datasets() if may("dataset_revision_list", context, package.id))
    packages = {package.id: package for package in islice(visible, limit)}
    rows = recent.revisions(list(packages), limit=limit)
    shown = dictize.revisions(rows, recent.tags(rows))
    return [{**one, "dataset": dictize.dataset(packages[row.dataset_id])} for one, row in zip(shown, rows, strict=True)]
