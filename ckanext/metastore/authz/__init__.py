"""Who may do what with a dataset, carried by a token: scopes, keys, tokens, and the one policy. Knows no CKAN.

:see: the protocol is ckanext-authz-service's, https://github.com/datopian/ckanext-authz-service
"""

from ckanext.metastore.authz.keys import ALGORITHMS, KeyRing, generate_private_key
from ckanext.metastore.authz.policy import POLICY, Named, Target, permits
from ckanext.metastore.authz.scopes import Scope, parse_scope, parse_scopes
from ckanext.metastore.authz.tokens import Claims, InvalidToken, Issuer, Verifier, unverified

__all__ = [
    "ALGORITHMS",
    "POLICY",
    "Claims",
    "InvalidToken",
    "Issuer",
    "KeyRing",
    "Named",
    "Scope",
    "Target",
    "Verifier",
    "generate_private_key",
    "parse_scope",
    "parse_scopes",
    "permits",
    "unverified",
]
