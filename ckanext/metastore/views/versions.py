"""``/dataset/<id>/versions``: the history of a dataset, and two of its versions side by side."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

import ckantoolkit as tk

from ckanext.metastore.comparison import sections
from ckanext.metastore.views import listing
from ckanext.metastore.views.base import Dataset, aborting, blueprint, call, dataset_or_abort

PAGE = 20
"""Changes on one page of the list."""

TICKS = 6
"""Boxes that may be ticked: two versions, each perhaps under some of its names as well."""


@blueprint.route("/dataset/<id>/versions")
def versions(id: str) -> str:
    """The list of versions, newest first; the named ones stand first, on the first page."""
    dataset = dataset_or_abort(id)
    page = tk.h.get_page_number(tk.request.args)
    with aborting():
        history = call("dataset_history_show", id=dataset["id"], publishing=True)
        revisions = call("dataset_revision_list", id=dataset["id"], limit=PAGE, offset=(page - 1) * PAGE, details=True)
        tags = call("dataset_tag_list", id=dataset["id"]) if page == 1 else []
    for revision in revisions:
        revision["light"] = listing.light(revision, history["publishing"])
    return tk.render(
        "metastore/versions.html",
        {
            "pkg_dict": dataset,
            "dataset_type": dataset["type"],
            "current": revisions[0] if page == 1 and revisions else None,
            "tags": tags,
            "months": listing.months(revisions),
            "publishing": history["publishing"],
            "page": page,
            "pages": -(-history["revisions"] // PAGE),
            "count": history["revisions"],
            "can_edit": tk.h.check_access("package_update", {"id": dataset["id"]}),
        },
    )


@blueprint.route("/dataset/<id>/versions/compare")
def compare(id: str) -> Any:
    """Two versions side by side: ``a``, the older, and ``b``, the newer (default: ``HEAD``).

    The tick boxes of the list come as ``v``: one, which is compared with the current version, or two.
    """
    dataset = dataset_or_abort(id)
    if "a" not in tk.request.args:
        return _ticked(dataset, tk.request.args.getlist("v"))
    a, b = tk.request.args["a"], tk.request.args.get("b") or "HEAD"
    with aborting():
        old, new = (call("dataset_revision_show", id=dataset["id"], revision_ref=ref) for ref in (a, b))
        refs = {"revision_ref_a": old["id"], "revision_ref_b": new["id"]}
        changes = call("revision_diff", id=dataset["id"], **refs)
        was, became = (call("package_show", id=dataset["id"], revision_ref=side["id"]) for side in (old, new))
        raw = call("revision_diff", id=dataset["id"], format="unified", **refs) if "raw" in tk.request.args else None
        choice = _choice(dataset, old, new)
    return tk.render(
        "metastore/compare.html",
        {
            "pkg_dict": dataset,
            "dataset_type": dataset["type"],
            "a": a,
            "b": b,
            "old": old,
            "new": new,
            "changes": changes,
            "sections": sections(changes, was, became),
            "raw": None if raw is None else raw.splitlines(),
            "choice": choice,
        },
    )


def _ticked(dataset: Dataset, refs: list[str]) -> Any:
    """To the comparison of what was ticked, the older first; back to the list where that is none, or too many.

    A version that was ticked under its name and in its row is one.
    """
    with aborting():
        # More than that nobody ticks who wants to compare two.
        found = [(ref, call("dataset_revision_show", id=dataset["id"], revision_ref=ref)) for ref in refs[:TICKS]]
    ticked = {version["id"]: (ref, version["timestamp"]) for ref, version in reversed(found)}
    if not 1 <= len(ticked) <= 2 or len(refs) > TICKS:
        tk.h.flash_error(tk._("Tick one version, to compare it with the current one, or two."))
        return tk.redirect_to("metastore.versions", id=dataset["name"])
    # The list has the newer one first, also where both were made within a second.
    older_first = [ref for ref, _ in sorted(ticked.values(), key=itemgetter(1))]
    return tk.redirect_to("metastore.compare", id=dataset["name"], **dict(zip("ab", older_first, strict=False)))


def _choice(dataset: Dataset, *chosen: dict[str, Any]) -> list[dict[str, Any]]:
    """What else could be compared: the named versions, and the newest changes."""
    tags = call("dataset_tag_list", id=dataset["id"])
    newest = call("dataset_revision_list", id=dataset["id"], limit=PAGE)
    choice = [{"ref": tag["name"], "name": tag["name"], "id": tag["revision_id"]} for tag in tags]
    listed = {revision["id"]: revision for revision in (*newest, *chosen)}
    return choice + [{"ref": revision["id"], **revision} for revision in listed.values()]
