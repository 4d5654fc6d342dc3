"""A stand-in for GitHub over real Git, for tests and the demo.

It speaks what we use of GitHub's REST API, version 3, and serves Git over HTTP by ``git http-backend``, so that a
client cannot tell it from an Enterprise Server: there is no mock between the code under test and the wire.
"""

from ckanext.metastore.testing.github.accounts import PERMISSIONS
from ckanext.metastore.testing.github.deliveries import Delivery
from ckanext.metastore.testing.github.faults import Fault
from ckanext.metastore.testing.github.log import Exchange, Request
from ckanext.metastore.testing.github.problems import Problem
from ckanext.metastore.testing.github.repositories import Repository
from ckanext.metastore.testing.github.server import StandIn

__all__ = ["PERMISSIONS", "Delivery", "Exchange", "Fault", "Problem", "Repository", "Request", "StandIn"]
