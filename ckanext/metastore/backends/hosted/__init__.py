"""What all Git hosts have in common: the ``git`` backend, and a host as the place that the histories are pushed to."""

from ckanext.metastore.backends.hosted.backend import HostedBackend
from ckanext.metastore.backends.hosted.host import Credentials, Host

__all__ = ["Credentials", "Host", "HostedBackend"]
