"""Scopes: what a token allows, as text.

::

    scope    = type ":" ref ":" [ subscope ":" ] action *( "," action )
    ref      = segment *2( "/" segment ) [ "/" ]     ; three parts at most, an empty last one is the collection
    segment  = "*" / 1*( ALPHA / DIGIT / "_" / "." / "-" )     ; but not "." and not ".."
    type, subscope, action = lowercase letter *( lowercase letter / DIGIT / "_" / "-" )

This is narrower than what ckanext-authz-service takes: there, what is left out means "all". Here nothing does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ckanext.metastore.core import Invalid

SCOPE_LIMIT = 64
"""How many scopes one token may have."""

_NAME = r"[a-z][a-z0-9_-]*"
_SEGMENT = r"(?:\*|(?!\.{1,2}[/:])[A-Za-z0-9_.-]+)"
_REF = rf"{_SEGMENT}(?:/{_SEGMENT}){{0,2}}|{_SEGMENT}(?:/{_SEGMENT})?/"
_SCOPE = re.compile(
    rf"(?P<type>{_NAME}):(?P<ref>{_REF}):(?:(?P<subscope>{_NAME}):)?(?P<actions>{_NAME}(?:,{_NAME})*)", re.ASCII
)


@dataclass(frozen=True)
class Scope:
    """Some actions on one entity, or on all in one collection.

    :param type: the kind of entity, such as ``"ds"`` for a dataset
    :param ref: which one: ``"org/name"``, ``"name"``, ``"org/*"`` (all of an organization's), ``"org/"`` (their
        collection)
    :param actions: what may be done, in the order in which it was asked for
    :param subscope: the part of the entity that it may be done to; None for the whole
    """

    type: str
    ref: str
    actions: tuple[str, ...]
    subscope: str | None = None

    @property
    def segments(self) -> tuple[str, ...]:
        """The parts of the ref; the last one is empty where it is a collection."""
        return tuple(self.ref.split("/"))

    def __str__(self) -> str:
        part = f"{self.subscope}:" if self.subscope else ""
        return f"{self.type}:{self.ref}:{part}{','.join(self.actions)}"


def parse_scope(text: str) -> Scope:
    """Read one scope.

    :raises Invalid: the text is no scope, to the letter
    """
    found = _SCOPE.fullmatch(text)
    if found is None:
        raise Invalid("scopes", f"{text[:200]!r} is no scope; it must be like ds:organization/dataset:read,update")
    return Scope(found["type"], found["ref"], tuple(found["actions"].split(",")), found["subscope"])


def parse_scopes(text: str) -> tuple[Scope, ...]:
    """Read scopes with one space between each two.

    One that is malformed spoils them all: who skipped it could be led to read the rest in another way than was meant.

    :raises Invalid: there is none, there are more than 64, or one is malformed
    """
    elements = text.split(" ")
    if len(elements) > SCOPE_LIMIT:
        raise Invalid("scopes", f"there are {len(elements)}; at most {SCOPE_LIMIT} are allowed")
    return tuple(map(parse_scope, elements))
