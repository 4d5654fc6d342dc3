"""What came of many saves, in figures."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any


@dataclass
class Verdict:
    """The figures of one dataset, or of many.

    :ivar answered: saves that were answered with success
    :ivar there: revisions in the history
    :ivar lost: answered, and not in the history
    :ivar doubled: twice in the history
    :ivar disordered: after a save that was answered later
    :ivar undead: failed, and in the history all the same
    :ivar unsure: failed while the database went away, and in the history: CKAN has the change, too
    :ivar wrong: whatever else is not as it has to be, in words
    """

    answered: int = 0
    there: int = 0
    lost: int = 0
    doubled: int = 0
    disordered: int = 0
    undead: int = 0
    unsure: int = 0
    wrong: list[str] = field(default_factory=list)

    def __iadd__(self, other: Verdict) -> Any:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))
        return self

    @property
    def fine(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.doubled or self.disordered or self.undead or self.wrong)
