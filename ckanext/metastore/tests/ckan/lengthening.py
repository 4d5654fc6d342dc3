"""Long histories in seconds: the steps of a save, without CKAN's own."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from ckan import model

from ckanext.metastore import authors, config, mapper
from ckanext.metastore.core.types import utc
from ckanext.metastore.model.ledger import Ledger


def append(dataset: dict[str, Any], titles: Iterable[str], *, user: str) -> None:
    """Record a public dataset under one title after the other, in one transaction; nothing is published.

    :param dataset: as ``package_show`` gives it
    :param user: the name of the account that saves
    """
    ledger = Ledger.lock(model.Session, dataset["id"])
    author, user_id, name = authors.author(user)
    for title in titles:
        revision = config.backend().record(
            dataset["id"],
            document=mapper.to_document({**dataset, "title": title}),
            author=author,
            timestamp=utc(int(time.time())),
            user=name,
            head=ledger.public_head,
        )
        ledger.append(revision, user_id=user_id)
    model.Session.commit()
