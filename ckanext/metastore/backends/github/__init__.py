"""The ``github`` backend: the ``git`` backend, and GitHub as the place that the histories are pushed to."""

from ckanext.metastore.backends.github.backend import GitHubBackend

__all__ = ["GitHubBackend"]
