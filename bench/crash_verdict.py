"""What came of a dataset's saves, by what the savers were told and by what the git program finds at GitHub."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from crash_actors import Journal
from repository import damage, history, title
from verdict import Verdict


def judge(
    journals: Iterable[Journal], remote: Path | None, local: Path, ckan: dict[str, object], *, unsure: bool = False
) -> Verdict:
    """Compare.

    :param remote: the repository at GitHub, where there is one
    :param local: the copy
    :param ckan: what CKAN has
    :param unsure: the database went away meanwhile: nobody knows what became of a save that was not answered
    """
    revisions = history(remote) if remote else []
    verdict = Verdict(there=len(revisions))
    tokens = Counter(message for _, message in revisions)
    verdict.doubled = sum(count - 1 for count in tokens.values())
    place = {sha: number for number, (sha, _) in enumerate(revisions)}
    for journal in journals:
        _hold_against(journal, place, tokens, verdict, unsure)
    if ckan["waits"]:
        verdict.wrong.append("still waiting")
    if ckan["title"] != (newest := title(remote) if revisions and remote else None):
        verdict.wrong.append(f"CKAN has {ckan['title']}, the head {newest}")
    repositories = filter(None, (remote, local if local.exists() else None))
    verdict.wrong += filter(None, map(damage, repositories))
    return verdict


def _hold_against(
    journal: Journal, place: dict[str, int], tokens: Counter[str], verdict: Verdict, unsure: bool
) -> None:
    last = -1
    for line in journal.lines():
        if line["state"] == "answered":
            verdict.answered += 1
            found = place.get(line["sha"])
            if found is None or not tokens[line["token"]]:
                verdict.lost += 1
            else:
                verdict.disordered += found <= last
                last = found
        elif line["state"] == "despaired":
            verdict.wrong.append(f"{journal.name} could not save any more")
        elif line["state"] == "failed" and tokens[line["token"]]:
            if unsure:
                verdict.unsure += 1
            else:
                verdict.undead += 1
                verdict.wrong.append(f"{line['token']} failed: {line['why']}")
