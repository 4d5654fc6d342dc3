"""``inspect`` and ``mend``: a difference between what is and what is to be is found, and nothing is made worse."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from ckanext.metastore.core import Backend, Invalid
from ckanext.metastore.core.findings import KINDS, Expected
from ckanext.metastore.testing.contract.base import ADA, OTHER, PACKAGE, Contract, titled
from ckanext.metastore.testing.contract.publishing import chain, tagged
from ckanext.metastore.testing.git import git

TIME = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)

thoroughly = pytest.mark.parametrize("thorough", [False, True])


class CheckingContract(Contract):
    """What the repositories hold, compared with what a caller's database says."""

    @thoroughly
    def test_nothing_is_wrong_where_nothing_is(self, backend: Backend, thorough: bool) -> None:
        assert list(backend.inspect([], thorough=thorough, complete=True)) == []
        assert list(backend.inspect([Expected(PACKAGE)], thorough=thorough, complete=True)) == []

    @thoroughly
    def test_all_is_well(self, backend: Backend, thorough: bool) -> None:
        first, second = chain(backend, 2)
        backend.publish(PACKAGE, revisions=[first, second], tags=[tagged(first, "v1")])
        expected = Expected(PACKAGE, head=second.sha, tags={"v1": first.sha})
        packages = [expected, Expected(OTHER)]
        assert list(backend.inspect(packages, thorough=thorough, complete=True)) == []

    @thoroughly
    def test_private_revisions(self, backend: Backend, thorough: bool) -> None:
        (shown,) = chain(backend, 1)
        secret = chain(backend, 2, public=False, head=shown.head)
        backend.publish(PACKAGE, revisions=[shown, *secret])
        private = tuple(revision.sha for revision in secret) if backend.keeps_private else ()
        expected = Expected(PACKAGE, head=shown.sha, private=private, public=False)
        kinds = {finding.kind for finding in backend.inspect([expected], thorough=thorough, complete=True)}
        assert kinds <= {"host-exposed"}  # a package's first revision was shown, and nobody has hidden it since

    @thoroughly
    def test_what_waits_may_be_there(self, backend: Backend, thorough: bool) -> None:
        first, second = chain(backend, 2)
        backend.publish(PACKAGE, revisions=[first, second], tags=[tagged(first, "v1")])
        expected = Expected(PACKAGE, head=first.sha, waiting=frozenset([second.sha, "v1"]))
        assert list(backend.inspect([expected], thorough=thorough)) == []

    def test_a_revision_is_missing(self, backend: Backend) -> None:
        first, second = chain(backend, 2)
        backend.publish(PACKAGE, revisions=[first])
        found = list(backend.inspect([Expected(PACKAGE, head=second.sha)], thorough=True))
        assert found
        assert {finding.kind for finding in found} <= {"behind", "host-behind"}
        assert {finding.package_id for finding in found} == {PACKAGE}

    def test_a_history_is_missing(self, backend: Backend) -> None:
        (first,) = chain(backend, 1)
        found = list(backend.inspect([Expected(PACKAGE, head=first.sha)], thorough=True))
        assert {finding.kind for finding in found} & {"missing", "host-missing"}

    def test_a_revision_too_many(self, backend: Backend) -> None:
        first, second = chain(backend, 2)
        backend.publish(PACKAGE, revisions=[first, second])
        found = list(backend.inspect([Expected(PACKAGE, head=first.sha)], thorough=True))
        assert {finding.kind for finding in found} <= {"ahead", "host-ahead"}
        assert found

    def test_a_tag_is_missing_or_another(self, backend: Backend) -> None:
        first, second = chain(backend, 2)
        backend.publish(PACKAGE, revisions=[first, second], tags=[tagged(first, "v1")])
        for tags in ({"v1": second.sha}, {"v1": first.sha, "v2": second.sha}):
            found = list(backend.inspect([Expected(PACKAGE, head=second.sha, tags=tags)], thorough=True))
            assert {finding.kind for finding in found} <= {"tag", "host-tag"}
            assert found

    def test_every_finding_says_what_to_do(self, backend: Backend) -> None:
        first, second = chain(backend, 2)
        backend.publish(PACKAGE, revisions=[first], tags=[tagged(first, "theirs")])
        expected = Expected(PACKAGE, head=second.sha, tags={"v1": first.sha})
        for finding in backend.inspect([expected, Expected(OTHER, head=first.sha)], thorough=True, complete=True):
            assert finding.kind in KINDS
            assert finding.detail
            assert finding.remedy or finding.mends

    def test_an_orphan(self, backend: Backend) -> None:
        (first,) = chain(backend, 1)
        backend.publish(PACKAGE, revisions=[first])
        assert [finding.kind for finding in backend.inspect([], complete=True)] == ["orphan"]
        assert list(backend.inspect([])) == []

    def test_mending_makes_nothing_worse(self, backend: Backend, clone: Callable[[str], Path]) -> None:
        """What cannot be mended is refused; what can be tried leaves the history as it is."""
        first, second = chain(backend, 2)
        backend.publish(PACKAGE, revisions=[first, second])
        rival = backend.record(PACKAGE, document=titled("Rival"), author=ADA, timestamp=TIME, head=first.head)
        for sha in (first.sha, rival.sha):
            expected = Expected(PACKAGE, head=sha)
            for finding in list(backend.inspect([expected], thorough=True)):
                if not finding.mends:
                    with pytest.raises(Invalid):
                        backend.mend(expected, finding)
        assert git("rev-parse", "main", cwd=clone(PACKAGE)).strip() == second.sha
