"""What came of the saves: what the clients were told, held against GitHub, and where it has nothing, the tables."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from load_client import Asked
from load_park import Park, Slot
from load_saves import HIDES
from repository import damage, history, tags, title
from verdict import Verdict

Remote = Callable[[str], Path | None]


class Row(NamedTuple):
    """A revision, as the table has it."""

    sha: str
    message: str
    public: bool


class Kept(NamedTuple):
    """What CKAN has of a dataset: its title, and its revisions, oldest first."""

    title: str | None
    rows: Sequence[Row]


@dataclass
class LoadVerdict(Verdict):
    """The figures.

    :ivar private: revisions that nobody may find at GitHub
    :ivar purged: saves that were answered, of datasets that were purged
    """

    private: int = 0
    purged: int = 0

    def __str__(self) -> str:
        return (
            f"{self.answered} saves answered, {self.purged} of purged datasets; {self.there} revisions at GitHub, "
            f"{self.private} private ones: {self.lost} lost, {self.doubled} doubled, {self.disordered} disordered, "
            f"{self.undead} undead"
        )


def judge(
    asked: Iterable[Asked], park: Park, kept: Mapping[str, Kept], remote: Remote, repositories: Path, local: Path
) -> LoadVerdict:
    """Compare.

    :param asked: all requests
    :param park: the datasets that there are
    :param kept: what CKAN has, by the dataset's id
    :param remote: finds a repository at GitHub by its name
    :param repositories: the folder in which they all are
    :param local: that of the local ones
    """
    saves = defaultdict(list)
    for each in asked:
        if each.token:
            saves[each.dataset].append(each)
    slots = [slot for slot in park.slots if slot.id]
    verdict = LoadVerdict()
    nothing = Kept(None, ())

    def look(slot: Slot) -> LoadVerdict:
        return _one(slot, saves[slot.id], kept.get(slot.id, nothing), remote(slot.name), local)

    with ThreadPoolExecutor(4) as pool:
        for one in pool.map(look, slots):
            verdict += one
    living = {slot.id for slot in slots}
    verdict.purged = sum(each.done for dataset in saves.keys() - living for each in saves[dataset])
    verdict.answered += verdict.purged
    verdict.wrong += [f"{dataset} is gone, and has revisions" for dataset in kept.keys() - living]
    if (number := len(list(repositories.glob("*.git")))) != len(slots):
        verdict.wrong.append(f"{number} repositories are at GitHub for {len(slots)} datasets")
    return verdict


def _one(slot: Slot, saves: Sequence[Asked], kept: Kept, remote: Path | None, local: Path) -> LoadVerdict:
    """Compare what there is of one dataset."""
    if remote is None:
        return LoadVerdict(wrong=[f"{slot.name} is not at GitHub"], lost=sum(each.done for each in saves))
    revisions = history(remote)
    private = [row.message for row in kept.rows if not row.public]
    verdict = LoadVerdict(there=len(revisions), private=len(private))
    _count(saves, Counter([*private, *(message for _, message in revisions)]), verdict)
    _follow(saves, kept.rows, verdict, shared=slot.shared)
    if [(row.sha, row.message) for row in kept.rows if row.public] != revisions:
        verdict.wrong.append(f"{slot.name}: GitHub and the table have not the same history")
    if slot.tags != (found := tags(remote)):
        verdict.wrong.append(f"{slot.name}: the tags at GitHub are {found}, not {slot.tags}")
    titles = {kept.title, title(remote) if revisions else None, *([] if slot.shared else [slot.title])}
    if len(titles) > 1:
        verdict.wrong.append(f"{slot.name}: has different titles here and there: {titles}")
    copies = (local / slot.id[:2]).glob(f"{slot.id}*.git")
    verdict.wrong += filter(None, map(damage, (remote, *copies)))
    return verdict


def _count(saves: Sequence[Asked], found: Counter[str], verdict: LoadVerdict) -> None:
    """Hold the saves against the messages that were found."""
    answered = [each.token for each in saves if each.done]
    verdict.answered += len(answered)
    verdict.lost += sum(not found[token] for token in answered)
    verdict.doubled += sum(count - 1 for count in found.values() if count > 1)
    verdict.undead += sum(bool(found[each.token]) for each in saves if not each.done)
    verdict.wrong += [f"nobody has saved {message}" for message in found.keys() - {each.token for each in saves}]


def _follow(saves: Sequence[Asked], rows: Sequence[Row], verdict: LoadVerdict, *, shared: bool) -> None:
    """Go through the history, and see whether each revision is in its place, and as its save was answered."""
    answered = {each.token: each for each in saves if each.done}
    place = {row.sha: number for number, row in enumerate(rows)}
    latest = 0.0
    for number, row in enumerate(rows):
        if save := answered.get(row.message):
            # Nothing that stands before it may have begun after its end.
            verdict.disordered += save.end < latest
            latest = max(latest, save.begin)
            told = place.get(save.sha, -1) if save.sha else number
            if told < number or (told > number and not shared):
                verdict.wrong.append(f"{save.kind} {save.token} was answered with {save.sha}, and is {row.sha}")
            if row.public == (save.kind in HIDES):
                verdict.wrong.append(f"{save.kind} {save.token} is {'public' if row.public else 'private'}")
