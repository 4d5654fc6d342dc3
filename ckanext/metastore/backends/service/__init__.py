"""The ``service`` backend: the ``git`` backend, and a stand-alone metastore service as the place that it pushes to."""

from ckanext.metastore.backends.service.backend import ServiceBackend

__all__ = ["ServiceBackend"]
