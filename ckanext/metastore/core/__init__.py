"""The metastore without CKAN: types, errors, names, documents and the backend's protocol, on the standard library.

>>> from ckanext.metastore.core import Author, create_backend
>>> store = create_backend("git", path="/tmp/metastore")                                        # doctest: +SKIP
"""

from ckanext.metastore.core.backend import Backend, create_backend
from ckanext.metastore.core.errors import (
    Conflict,
    Invalid,
    InvalidName,
    MetastoreError,
    NotFound,
    RateLimited,
    Unauthorized,
    Unavailable,
)
from ckanext.metastore.core.types import Author, Change, Package, Revision, Site, Tag

__all__ = [
    "Author",
    "Backend",
    "Change",
    "Conflict",
    "Invalid",
    "InvalidName",
    "MetastoreError",
    "NotFound",
    "Package",
    "RateLimited",
    "Revision",
    "Site",
    "Tag",
    "Unauthorized",
    "Unavailable",
    "create_backend",
]
