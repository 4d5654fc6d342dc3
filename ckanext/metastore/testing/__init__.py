"""The test suite that every backend passes, for those who write one.

::

    from ckanext.metastore.testing import BackendContract

    class TestMyBackend(BackendContract):
        @pytest.fixture
        def backend(self, tmp_path):
            return MyBackend(tmp_path)

        def clone_url(self, backend, package_id):
            return f"https://git.example/{package_id}"
"""

import pytest

# The suite's assertions are to explain themselves, as those of any test module.
pytest.register_assert_rewrite("ckanext.metastore.testing.contract")

from ckanext.metastore.testing.contract import BackendContract  # noqa: E402

__all__ = ["BackendContract"]
