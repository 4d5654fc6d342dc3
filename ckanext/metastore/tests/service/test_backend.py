"""The ``service`` backend passes the contract, against a service over real HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from ckanext.metastore.backends.git import GitBackend
from ckanext.metastore.backends.git.transport import Remote
from ckanext.metastore.backends.hosted import staging
from ckanext.metastore.backends.hosted.places import Registered
from ckanext.metastore.backends.service import ServiceBackend
from ckanext.metastore.client import Client
from ckanext.metastore.core.errors import Unavailable
from ckanext.metastore.core.types import Profile, RecordedRevision
from ckanext.metastore.testing import BackendContract
from ckanext.metastore.testing.contract.base import ADA, PACKAGE, titled
from ckanext.metastore.testing.contract.publishing import TIME, chain, tagged
from ckanext.metastore.tests.service.server import serving


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("service") / "data", limits_body=16 * 2**20) as server:
        yield server


class Repositories(dict):
    """A registry that lasts as long as the test."""

    put = dict.__setitem__

    def elsewhere(self, package_id):
        return None


def cut_off(*, after):
    """A push that is done so many times, and no more. What is refused does not count."""
    real = Remote.push
    done: list[int] = []

    def push(remote, repository, updates):
        if len(done) == after:
            raise Unavailable("time is up")
        real(remote, repository, updates)
        done.append(1)

    return push


def count_calls(monkeypatch, owner, name):
    """Note each call of a method, which is made all the same."""
    call, calls = getattr(owner, name), []

    def noted(*arguments, **given):
        calls.append(arguments)
        return call(*arguments, **given)

    monkeypatch.setattr(owner, name, noted)
    return calls


class TestServiceBackend(BackendContract):
    @pytest.fixture
    def backend(self, tmp_path, service):
        self.folder = service.settings.path
        owner = tmp_path.name.lower()[-60:].lstrip("_-")
        return ServiceBackend(
            tmp_path / "repositories",
            url=service.url,
            owner=owner,
            private_key_file=str(service.settings.private_key_file),
            timeout=120,
        )

    def test_more_than_a_service_takes_with_one_push(self, backend):
        revisions = chain(backend, 1001)
        last = revisions[-1].sha
        backend.publish(PACKAGE, revisions=revisions, tags=[tagged(revisions[-1], "v1")])
        assert backend.fetch(PACKAGE, revision_ref="v1").revision.id == last
        assert backend.theirs(PACKAGE, ours=last) is None

    def test_more_bytes_than_a_service_takes_with_one_push(self, backend):
        revisions: list[RecordedRevision] = []
        for number in range(70):
            document = {**titled(str(number)), "notes": f"{number % 10}" * 1_000_000}
            head = revisions[-1].head if revisions else None
            revisions.append(
                backend.record(PACKAGE, document=document, author=ADA, timestamp=TIME, public=True, head=head)
            )
        backend.publish(PACKAGE, revisions=revisions)
        assert backend.theirs(PACKAGE, ours=revisions[-1].sha) is None

    def test_a_merge_goes_in_steps_too(self, backend, service, monkeypatch):
        monkeypatch.setattr(staging, "STEP", 2)
        first, *ours = chain(backend, 4)
        said = {"document": titled("Theirs"), "author": ADA, "timestamp": TIME}
        theirs = backend.record(PACKAGE, head=first.head, **said)
        joined = backend.record(PACKAGE, head=theirs.head, joins=ours[-1].sha, **said)
        later = chain(backend, 2, head=joined.head)
        revisions = [first, *ours, theirs, joined, *later]
        pushes = count_calls(monkeypatch, Remote, "push")
        backend.publish(PACKAGE, revisions=revisions)
        assert len(pushes) == 3
        owner, name = backend._places.find(PACKAGE)
        with Client(service.url, token=backend._credentials.token(owner)) as client:
            assert {found.id for found in client.revision_list(owner, name)} == {item.sha for item in revisions}

    def test_a_move_that_was_cut_off_goes_on(self, backend, service, monkeypatch):
        """A history that began in the folder: until all of it is there, the folder has the only copy."""
        revisions = chain(backend, 5)
        before = GitBackend(backend._folder.root)
        before.publish(PACKAGE, revisions=revisions[:4], tags=[tagged(revisions[1], "v1")])
        monkeypatch.setattr(staging, "STEP", 2)
        registry: Any = Repositories()
        backend._places = Registered(backend._host, backend._places._owner, "delete", registry)
        arguments = {"revisions": revisions[4:], "public": True, "profile": Profile("", "trees")}
        with monkeypatch.context() as patch:
            patch.setattr(Remote, "push", cut_off(after=1))
            with pytest.raises(Unavailable):
                backend.publish(PACKAGE, **arguments)
        assert self.history(backend) == [revision.sha for revision in revisions[3::-1]]
        backend.publish(PACKAGE, **arguments)
        owner = backend._places._owner
        with Client(service.url, token=backend._credentials.token(owner)) as client:
            there = [found.id for found in client.revision_list(owner, "trees")]
            assert there == [revision.sha for revision in revisions[::-1]]
            assert [tag.name for tag in client.tag_list(owner, "trees")] == ["v1"]

    def history(self, backend):
        repository = backend._folder.open(PACKAGE, public=True)
        return list(repository.walk(repository.ref("refs/heads/main")))

    def clone_url(self, backend, package_id):
        owner, name = backend._places.find(package_id)
        site = backend._host.git_url.replace("://", f"://git:{backend._credentials.token(owner)}@")
        return f"{site}/{owner}/{name}.git"

    def push_url(self, backend, package_id):
        """The service refuses what would lose revisions: whoever does that here has a shell on its machine."""
        owner, name = backend._places.find(package_id)
        with Client(backend._host.git_url, token=backend._credentials.token(owner)) as client:
            dataset_id = next(found.id for found in client.list(owner=owner) if found.name == name)
        return str(self.folder / "repositories" / dataset_id[:2] / f"{dataset_id}.git")
