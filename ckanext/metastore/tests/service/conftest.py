"""One service for all tests, with what each of them makes kept apart by its name; others in the process, with other
settings.
"""

from __future__ import annotations

import pytest

from ckanext.metastore.service import Settings, create_app
from ckanext.metastore.tests.service.running import running
from ckanext.metastore.tests.service.server import ALL, Dataset, bearer, serving, token


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("service") / "data", serve_timeout=2) as running:
        yield running


@pytest.fixture(scope="session")
def client(server):
    with server.client() as found:
        yield found


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """The service as its user starts it, for one module's tests; see ``running.py``."""
    with running(tmp_path_factory.mktemp("service") / "store") as running_:
        yield running_


@pytest.fixture
def dataset(client):
    return Dataset(client)


@pytest.fixture
def app(tmp_path):
    """Make an application in the test's own process: a client with a token, and one without."""

    def make(scopes=ALL, **settings):
        given = Settings(path=tmp_path / "data", **settings)
        made = create_app(given)
        known, anonymous = made.test_client(), made.test_client()
        known.environ_base["HTTP_AUTHORIZATION"] = bearer(token(given, scopes))["Authorization"]
        return known, anonymous

    return make
