"""How we prove to a service who we are: by tokens that we sign ourselves, each good for minutes."""

from __future__ import annotations

from dataclasses import dataclass, field

from ckanext.metastore.authz import Issuer, KeyRing, parse_scopes
from ckanext.metastore.core.errors import Invalid

LIFETIME = 300
"""Seconds: what a service accepts unless it is told otherwise."""

SUBJECT = "ckan"

_ALLOWED = "ds:{0}/:create ds:{0}/*:read,update,tag,delete,purge"


@dataclass(frozen=True)
class Signing:
    """Makes tokens for an owner's repositories.

    :param private_key: the key itself, as PEM; wins over the file
    :param issuer: what the service expects as ``iss``
    :param audience: what it expects as ``aud``
    """

    private_key: str = field(repr=False)
    private_key_file: str
    issuer: str
    audience: str

    def token(self, *owners: str) -> str:
        """Give a new one.

        :raises Invalid: the key cannot be used
        """
        scopes = parse_scopes(" ".join(map(_ALLOWED.format, sorted(set(owners)))))
        ring = KeyRing(private_key=self.private_key, private_key_file=self.private_key_file)
        issuer = Issuer(ring, issuer=self.issuer, audience=self.audience)
        return issuer.issue(scopes, lifetime=LIFETIME, subject=SUBJECT)[0]

    def refused(self) -> None:
        """Nothing: the next one is new anyway."""

    def check(self) -> None:
        """See whether a token can be made.

        :raises Invalid: the key is missing, or cannot be used
        """
        try:
            self.token("check")
        except Invalid as error:
            raise Invalid("service.private_key_file", error.reason) from error
