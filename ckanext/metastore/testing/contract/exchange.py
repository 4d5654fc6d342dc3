"""``theirs``, and the revision that joins what others did with what we did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from ckanext.metastore.core import Backend, Conflict, Invalid, NotFound
from ckanext.metastore.core.document import canonical_json
from ckanext.metastore.core.objects import parse_tree
from ckanext.metastore.core.types import RecordedRevision, Theirs
from ckanext.metastore.testing.contract.base import ADA, GRACE, PACKAGE, Contract, titled
from ckanext.metastore.testing.contract.publishing import TIME, chain
from ckanext.metastore.testing.git import git
from ckanext.metastore.testing.stranger import Stranger

BOMB = 40 * 2**20


def join(backend: Backend, theirs: Theirs, ours: str, title: str = "Joined") -> RecordedRevision:
    """Record what the caller of a backend would: their commit is the first parent."""
    return backend.record(PACKAGE, document=titled(title), author=GRACE, timestamp=TIME, head=theirs.head, joins=ours)


class ExchangeContract(Contract):
    """What others push is found, and nothing that was published is lost."""

    def push_url(self, backend: Any, package_id: str) -> str:
        """Give what ``git push`` takes of somebody who may push to a package's public repository."""
        return self.clone_url(backend, package_id)

    @pytest.fixture
    def visit(self, backend: Backend, tmp_path: Path) -> Callable[[], Stranger]:
        """A function that lets somebody else clone the package's repository."""

        def visit() -> Stranger:
            place = tmp_path / "stranger"
            git("clone", "--quiet", "--bare", self.clone_url(backend, PACKAGE), str(place))
            return Stranger(place, self.push_url(backend, PACKAGE))

        return visit

    @pytest.fixture
    def ours(self, backend: Backend) -> list[RecordedRevision]:
        """Three revisions, published."""
        revisions = chain(backend, 3)
        backend.publish(PACKAGE, revisions=revisions)
        return revisions

    # -- theirs ------------------------------------------------------------------------------------------------

    def test_theirs_of_nothing(self, backend: Backend) -> None:
        with pytest.raises(NotFound):
            backend.theirs(PACKAGE, ours="1" * 40)

    def test_nobody_was_there(self, backend: Backend, ours: Sequence[RecordedRevision]) -> None:
        assert backend.theirs(PACKAGE, ours=ours[-1].sha) is None

    def test_somebody_has_pushed(
        self, backend: Backend, ours: Sequence[RecordedRevision], visit: Callable[[], Stranger]
    ) -> None:
        sha = visit().edit(ours[-1].sha, titled("Theirs"), "Better\n\nMuch.")
        for _ in range(2):
            theirs = backend.theirs(PACKAGE, ours=ours[-1].sha)
            assert theirs is not None
            assert (theirs.head.sha, theirs.head.timestamp) == (sha, 1800000000)
            assert [entry.name for entry in parse_tree(theirs.head.tree)] == ["README.md", "datapackage.json"]
            assert theirs.parents == (ours[-1].sha,)
            assert (theirs.author.name, theirs.author.email) == ("Eve", "eve@example.net")
            assert theirs.message == "Better\n\nMuch."
            assert (theirs.base, theirs.lost) == (ours[-1].sha, False)
            assert theirs.size == len(canonical_json(titled("Theirs")))
        assert backend.load(PACKAGE, sha=sha) == canonical_json(titled("Theirs"))

    def test_the_branch_was_rewound(
        self, backend: Backend, ours: Sequence[RecordedRevision], visit: Callable[[], Stranger]
    ) -> None:
        visit().push(ours[0].sha)
        theirs = backend.theirs(PACKAGE, ours=ours[-1].sha)
        assert theirs is not None
        assert (theirs.head.sha, theirs.base, theirs.lost) == (ours[0].sha, ours[0].sha, True)

    def test_the_branch_was_replaced(
        self, backend: Backend, ours: Sequence[RecordedRevision], visit: Callable[[], Stranger]
    ) -> None:
        sha = visit().edit(ours[1].sha, titled("Theirs"))
        theirs = backend.theirs(PACKAGE, ours=ours[-1].sha)
        assert theirs is not None
        assert (theirs.head.sha, theirs.base, theirs.lost) == (sha, ours[1].sha, True)

    def test_the_branch_is_unrelated(
        self, backend: Backend, ours: Sequence[RecordedRevision], visit: Callable[[], Stranger]
    ) -> None:
        stranger = visit()
        stranger.push(stranger.commit(stranger.git("rev-parse", f"{ours[0].sha}^{{tree}}")))
        with pytest.raises(Conflict):
            backend.theirs(PACKAGE, ours=ours[-1].sha)

    # -- strange commits ---------------------------------------------------------------------------------------

    @pytest.mark.parametrize(
        "entry",
        ["040000 tree {tree}\tdatapackage.json", "120000 blob {blob}\tdatapackage.json", "100644 blob {blob}\tother"],
    )
    def test_no_document(
        self, backend: Backend, ours: Sequence[RecordedRevision], visit: Callable[[], Stranger], entry: str
    ) -> None:
        stranger = visit()
        blob = stranger.blob(b"{}")
        inner = stranger.tree(f"100644 blob {blob}\tx")
        stranger.push(stranger.commit(stranger.tree(entry.format(blob=blob, tree=inner)), ours[-1].sha))
        theirs = backend.theirs(PACKAGE, ours=ours[-1].sha)
        assert theirs is not None
        assert theirs.size is None

    def test_a_document_is_measured_and_not_read(
        self, backend: Backend, ours: Sequence[RecordedRevision], visit: Callable[[], Stranger]
    ) -> None:
        stranger = visit()
        blob = stranger.blob(b" " * BOMB)
        stranger.push(stranger.commit(stranger.tree(f"100644 blob {blob}\tdatapackage.json"), ours[-1].sha))
        theirs = backend.theirs(PACKAGE, ours=ours[-1].sha)
        assert theirs is not None
        assert theirs.size == BOMB

    def test_a_commit_with_many_parents(
        self, backend: Backend, ours: Sequence[RecordedRevision], visit: Callable[[], Stranger]
    ) -> None:
        stranger = visit()
        tree = stranger.git("rev-parse", f"{ours[0].sha}^{{tree}}")
        parents = [stranger.commit(tree, ours[-1].sha, message=str(number)) for number in range(50)]
        stranger.push(stranger.commit(tree, *parents))
        theirs = backend.theirs(PACKAGE, ours=ours[-1].sha)
        assert theirs is not None
        assert (theirs.parents, theirs.base, theirs.lost) == (tuple(parents), ours[-1].sha, False)

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-7", "idna", "unicode_escape", "zlib", "cp037", "nope", "\xff"])
    def test_a_commit_of_odd_text(
        self, backend: Backend, ours: Sequence[RecordedRevision], visit: Callable[[], Stranger], encoding: str
    ) -> None:
        stranger = visit()
        tree = stranger.git("rev-parse", f"{ours[0].sha}^{{tree}}")
        name = "\u202e\x07\ud800" + "x" * 10_000
        text = (
            f"tree {tree}\nparent {ours[-1].sha}\nauthor {name} <e e> 99999999999 +0000\n"
            f"committer C <c> 99999999999 +0000\nencoding {encoding}\n\n\x1b[31mEdit \\x41\ud800\n" + "y" * 20_000
        )
        stranger.push(stranger.raw("commit", text.encode("utf-8", "surrogatepass")))
        theirs = backend.theirs(PACKAGE, ours=ours[-1].sha)
        assert theirs is not None
        assert theirs.head.timestamp == 2**32 - 1
        assert theirs.parents == (ours[-1].sha,)
        assert "\x07" not in theirs.author.name + theirs.message
        assert len(theirs.message) <= 10_000
        joined = join(backend, theirs, ours[-1].sha)
        backend.publish(PACKAGE, revisions=[joined])
        assert backend.fetch(PACKAGE).revision.id == joined.sha

    def test_a_commit_that_is_too_large(
        self, backend: Backend, ours: Sequence[RecordedRevision], visit: Callable[[], Stranger]
    ) -> None:
        stranger = visit()
        tree = stranger.git("rev-parse", f"{ours[0].sha}^{{tree}}")
        head = f"tree {tree}\nparent {ours[-1].sha}\nauthor E <e> 1 +0000\ncommitter E <e> 1 +0000\n\n"
        stranger.push(stranger.raw("commit", head.encode() + b"x" * 2 * 2**20))
        with pytest.raises(Invalid, match="commit"):
            backend.theirs(PACKAGE, ours=ours[-1].sha)

    def test_too_many_files(
        self, backend: Backend, ours: Sequence[RecordedRevision], visit: Callable[[], Stranger]
    ) -> None:
        stranger = visit()
        blob = stranger.blob(b"")
        tree = stranger.tree(*(f"100644 blob {blob}\t{number:06}" for number in range(40_000)))
        stranger.push(stranger.commit(tree, ours[-1].sha))
        with pytest.raises(Invalid, match="tree"):
            backend.theirs(PACKAGE, ours=ours[-1].sha)

    # -- joining -----------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("moved", ["on", "rewound", "replaced"])
    def test_join(
        self,
        backend: Backend,
        ours: Sequence[RecordedRevision],
        visit: Callable[[], Stranger],
        clone: Callable[[str], Path],
        moved: str,
    ) -> None:
        waiting = chain(backend, 2, head=ours[-1].head)
        stranger = visit()
        if moved == "rewound":
            stranger.push(ours[0].sha)
        else:
            stranger.edit(ours[-1 if moved == "on" else 0].sha, titled("Theirs"))
        with pytest.raises(Conflict):
            backend.publish(PACKAGE, revisions=waiting)
        theirs = backend.theirs(PACKAGE, ours=ours[-1].sha)
        assert theirs is not None
        joined = [*waiting, join(backend, theirs, waiting[-1].sha)]
        later = backend.record(PACKAGE, document=titled("Later"), author=ADA, timestamp=TIME, head=joined[-1].head)
        for start, end in combinations(range(4), 2):
            if end == 3:
                backend.publish(PACKAGE, revisions=joined[start:end])
        backend.publish(PACKAGE, revisions=joined)
        backend.publish(PACKAGE, revisions=[*joined, later])
        backend.publish(PACKAGE, revisions=joined)
        assert backend.fetch(PACKAGE).document == titled("Later")
        assert backend.theirs(PACKAGE, ours=later.sha) is None
        there = git("rev-list", "main", cwd=clone(PACKAGE)).split()
        assert there[0] == later.sha
        assert {*there} == {theirs.head.sha, later.sha, *(item.sha for item in (*ours, *joined))}

    def test_join_after_join(
        self, backend: Backend, ours: Sequence[RecordedRevision], visit: Callable[[], Stranger]
    ) -> None:
        stranger = visit()
        first = stranger.edit(ours[-1].sha, titled("Theirs"))
        waiting = chain(backend, 1, head=ours[-1].head)
        theirs = backend.theirs(PACKAGE, ours=ours[-1].sha)
        assert theirs is not None
        joined = join(backend, theirs, waiting[-1].sha)
        stranger.edit(first, titled("Theirs again"))
        with pytest.raises(Conflict):
            backend.publish(PACKAGE, revisions=[*waiting, joined])
        theirs = backend.theirs(PACKAGE, ours=ours[-1].sha)
        assert theirs is not None
        again = join(backend, theirs, joined.sha, "Joined again")
        backend.publish(PACKAGE, revisions=[*waiting, joined, again])
        assert backend.fetch(PACKAGE).document == titled("Joined again")

    def test_taking_theirs_as_it_is(
        self, backend: Backend, ours: Sequence[RecordedRevision], visit: Callable[[], Stranger]
    ) -> None:
        visit().edit(ours[-1].sha, titled("Theirs"))
        theirs = backend.theirs(PACKAGE, ours=ours[-1].sha)
        assert theirs is not None
        later = backend.record(PACKAGE, document=titled("Later"), author=ADA, head=theirs.head)
        backend.publish(PACKAGE, revisions=[later])
        assert backend.fetch(PACKAGE).revision.parents == (theirs.head.sha,)

    def test_what_no_revision_joins_stays_out(
        self, backend: Backend, ours: Sequence[RecordedRevision], visit: Callable[[], Stranger]
    ) -> None:
        visit().push(ours[0].sha)
        theirs = backend.theirs(PACKAGE, ours=ours[-1].sha)
        assert theirs is not None
        waiting = chain(backend, 2, head=ours[-1].head)
        left = join(backend, theirs, waiting[0].sha)  # the second would be left behind
        for revisions in (waiting, [*waiting, left]):
            with pytest.raises(Conflict):
                backend.publish(PACKAGE, revisions=revisions)
            assert backend.theirs(PACKAGE, ours=ours[-1].sha) == theirs
