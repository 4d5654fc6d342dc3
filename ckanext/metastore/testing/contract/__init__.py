"""What a backend promises, as tests. Each module is one part of the promise."""

from ckanext.metastore.testing.contract.checking import CheckingContract
from ckanext.metastore.testing.contract.concurrency import ConcurrencyContract
from ckanext.metastore.testing.contract.deleting import DeletingContract
from ckanext.metastore.testing.contract.exchange import ExchangeContract
from ckanext.metastore.testing.contract.exporting import ExportingContract
from ckanext.metastore.testing.contract.input import InputContract
from ckanext.metastore.testing.contract.privacy import PrivacyContract
from ckanext.metastore.testing.contract.publishing import PublishingContract
from ckanext.metastore.testing.contract.reading import ReadingContract
from ckanext.metastore.testing.contract.saving import SavingContract
from ckanext.metastore.testing.contract.tags import TagContract


class BackendContract(
    SavingContract,
    ReadingContract,
    DeletingContract,
    TagContract,
    InputContract,
    PublishingContract,
    PrivacyContract,
    CheckingContract,
    ExportingContract,
    ExchangeContract,
    ConcurrencyContract,
):
    """Everything that a backend promises.

    A backend's test class inherits it, and gives a fixture ``backend`` and a method ``clone_url``; and ``push_url``,
    where somebody else pushes to another address. The backend is empty, and can be pickled: some tests use it from
    several processes. Rules are never weakened in a subclass.
    """


__all__ = ["BackendContract"]
