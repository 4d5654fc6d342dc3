"""The ``service`` backend passes the contract, against a service over real HTTP."""

from __future__ import annotations

import pytest

from ckanext.metastore.backends.service import ServiceBackend
from ckanext.metastore.client import Client
from ckanext.metastore.testing import BackendContract
from ckanext.metastore.testing.contract.base import PACKAGE
from ckanext.metastore.testing.contract.publishing import chain, tagged
from ckanext.metastore.tests.service.server import serving


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("service") / "data", limits_body=16 * 2**20) as server:
        yield server


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
