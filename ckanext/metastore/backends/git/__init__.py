"""The ``git`` backend: one bare repository per dataset in a local folder, and a second one for what is not public."""

from ckanext.metastore.backends.git.backend import GitBackend

__all__ = ["GitBackend"]
