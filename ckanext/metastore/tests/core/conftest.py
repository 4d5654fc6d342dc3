"""What the tests of the core share: Hypothesis's profiles, and a ``git`` backend in an empty folder."""

import os

import pytest
from hypothesis import settings

from ckanext.metastore.backends.git import GitBackend
from ckanext.metastore.testing.contract.base import PACKAGE

# Without deadlines: how fast the machine is does not decide whether a test passes.
settings.register_profile("quick", deadline=None, max_examples=30)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture
def root(tmp_path):
    return tmp_path / "repositories"


@pytest.fixture
def backend(root):
    return GitBackend(root)


@pytest.fixture
def public(backend):
    return backend.repository_path(PACKAGE)


@pytest.fixture
def private(backend):
    return backend.repository_path(PACKAGE, public=False)
