"""A client for the service, in Python. It needs neither CKAN nor Flask.

>>> from ckanext.metastore.client import Client
>>> with Client("https://metadata.example.org", token="...") as client:                         # doctest: +SKIP
...     client.fetch("parks", "street-trees").document["title"]
'Street trees'

Errors are those of :mod:`ckanext.metastore.core.errors`.
"""

from ckanext.metastore.client.client import Client
from ckanext.metastore.client.types import Dataset, Listed, Mirror

__all__ = ["Client", "Dataset", "Listed", "Mirror"]
