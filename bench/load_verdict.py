"""What came of the saves: what the clients were told, held against the table of revisions and against GitHub."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from load_client import Asked
from load_park import Park, Slot
from repository import damage, history, tags, title


class Row(NamedTuple):
    """A revision, as the table has it."""

    sha: str
    message: str
    public: bool


@dataclass
class Verdict:
    """The figures.

    :ivar answered: saves that were answered with success
    :ivar there: revisions of these at GitHub
    :ivar private: those in the table alone, as they have to be
    :ivar gone: saves of datasets that were purged
    :ivar lost: answered, and not in the history
    :ivar doubled: twice in the history
    :ivar disordered: after a save that began when it was answered
    :ivar undead: failed, and in the history all the same
    :ivar wrong: whatever else is not as it has to be, in words
    """

    answered: int = 0
    there: int = 0
    private: int = 0
    gone: int = 0
    lost: int = 0
    doubled: int = 0
    disordered: int = 0
    undead: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def fine(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.doubled or self.disordered or self.undead or self.wrong)

    def __str__(self) -> str:
        return (
            f"{self.answered} saves answered: {self.there} revisions at GitHub, {self.private} private ones, "
            f"{self.gone} purged; {self.lost} lost, {self.doubled} doubled, {self.disordered} disordered, "
            f"{self.undead} undead"
        )


Remote = Callable[[str], Path | None]


def judge(
    asked: Iterable[Asked], park: Park, tables: Mapping[str, Sequence[Row]], remote: Remote, local: Path
) -> Verdict:
    """Compare.

    :param asked: all requests
    :param park: the datasets that there are
    :param tables: the revisions of each dataset, oldest first
    :param remote: finds a repository at GitHub by its name
    :param local: the folder of the local repositories
    """
    verdict = Verdict()
    saves = defaultdict(list)
    for each in asked:
        if each.token:
            saves[each.dataset].append(each)
    slots = [slot for slot in park.slots if slot.id]
    living = {slot.id for slot in slots}
    verdict.gone = sum(each.done for dataset, some in saves.items() if dataset not in living for each in some)
    verdict.answered = verdict.gone
    for slot in slots:
        _compare(saves[slot.id], tables.get(slot.id, ()), verdict)

    def look(slot: Slot) -> tuple[int, list[str]]:
        return _look(slot, tables.get(slot.id, ()), remote, local, shared=slot in park.shared)

    with ThreadPoolExecutor(4) as pool:
        for there, wrong in pool.map(look, slots):
            verdict.there += there
            verdict.wrong += wrong
    verdict.wrong += [f"{dataset} was purged, and has revisions" for dataset in tables.keys() - living]
    return verdict


def _compare(saves: Sequence[Asked], rows: Sequence[Row], verdict: Verdict) -> None:
    """Hold the saves against the table."""
    place = {row.message: number for number, row in enumerate(rows)}
    verdict.doubled += sum(count - 1 for count in Counter(row.message for row in rows).values())
    verdict.private += sum(not row.public for row in rows)
    answered = {each.token: each for each in saves if each.done}
    verdict.answered += len(answered)
    verdict.lost += sum(token not in place for token in answered)
    verdict.undead += sum(each.token in place for each in saves if not each.done)
    verdict.wrong += [f"nobody has saved {message}" for message in place.keys() - {each.token for each in saves}]
    latest = 0.0
    for row in rows:
        if save := answered.get(row.message):
            verdict.disordered += save.end < latest
            latest = max(latest, save.begin)
            if save.sha and place[save.token] > _place_of(save.sha, rows):
                verdict.wrong.append(f"{save.kind} {save.token} was answered with the older revision {save.sha}")


def _place_of(sha: str, rows: Sequence[Row]) -> int:
    return next((number for number, row in enumerate(rows) if row.sha == sha), -1)


def _look(slot: Slot, rows: Sequence[Row], remote: Remote, local: Path, *, shared: bool) -> tuple[int, list[str]]:
    """Hold the table against the repositories; gives the number of revisions, and what is wrong."""
    repository = remote(slot.name)
    if repository is None:
        return 0, [f"{slot.name} is not at GitHub"]
    wrong = []
    revisions = history(repository)
    if [(row.sha, row.message) for row in rows if row.public] != revisions:
        wrong.append(f"{slot.name}: GitHub has another history than the table, {len(revisions)} revisions")
    if slot.tags != (found := tags(repository)):
        wrong.append(f"{slot.name}: the tags at GitHub are {found}, not {slot.tags}")
    if not shared and slot.title != (newest := title(repository)):
        wrong.append(f"{slot.name}: the title at GitHub is {newest}, not {slot.title}")
    copies = (local / slot.id[:2]).glob(f"{slot.id}*.git")
    return len(revisions), [*wrong, *filter(None, map(damage, (repository, *copies)))]
