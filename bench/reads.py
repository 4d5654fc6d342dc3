"""A dataset as it was, against the dataset as it is."""

from __future__ import annotations

from collections.abc import Iterator

from measure import Figure, in_turn, ratio
from portal import Portal


def figures(portal: Portal, times: int = 60) -> Iterator[Figure]:
    """``package_show`` at a revision, against ``package_show`` from the database."""
    for resources in (1, 50):
        dataset = portal.dataset(resources)
        portal.act("package_patch", id=dataset["id"], title="Trees of the city")
        then, now = in_turn(
            lambda: portal.act("package_show", id=dataset["id"], revision_ref=dataset["revision_id"]),  # noqa: B023
            lambda: portal.act("package_show", cached=False, id=dataset["id"]),  # noqa: B023
            times,
        )
        title = f"package_show at a revision, {resources} resource{'s' if resources > 1 else ''}"
        yield ratio(title, then, "from the database", now, 1.0)
