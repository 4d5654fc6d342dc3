"""Validators for the parameters of this extension's actions."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any

import ckantoolkit as tk

from ckanext.metastore.authz import Scope, parse_scope
from ckanext.metastore.authz.scopes import SCOPE_LIMIT
from ckanext.metastore.core import Invalid, InvalidName
from ckanext.metastore.core.names import check_tag_name, is_full_sha
from ckanext.metastore.core.text import MESSAGE_LIMIT
from ckanext.metastore.model.queries import can_be
from ckanext.metastore.translating import _, translated

__all__ = [
    "metastore_flag",
    "metastore_lifetime",
    "metastore_limit",
    "metastore_message",
    "metastore_names",
    "metastore_offset",
    "metastore_ref",
    "metastore_scopes",
    "metastore_sha",
    "metastore_tag_name",
    "metastore_text",
    "metastore_time",
]

PAGE_LIMIT = 100
OFFSET_LIMIT = 2**31 - 1


def metastore_text(value: Any) -> str:
    """Text, and nothing that would only become text by accident."""
    if not isinstance(value, str):
        raise tk.Invalid(_("Must be text, not {type}").format(type=type(value).__name__))
    return value


def metastore_flag(value: Any) -> bool:
    """True or false, as CKAN 2.12 reads text and whole numbers: 2.11 fails at a number."""
    if not isinstance(value, (str, int)):
        raise tk.Invalid(_("Must be true or false, not {type}").format(type=type(value).__name__))
    return bool(tk.get_validator("boolean_validator")(value if isinstance(value, str) else bool(value), {}))


def metastore_message(value: Any) -> str:
    """Text of at most 10,000 characters."""
    if len(metastore_text(value)) > MESSAGE_LIMIT:
        sentence = _("Must have at most {most} characters, not {number}")
        raise tk.Invalid(sentence.format(most=f"{MESSAGE_LIMIT:,}", number=f"{len(value):,}"))
    return str(value)


def metastore_ref(value: Any) -> str:
    """Text that may name a revision."""
    ref = metastore_text(value).strip()
    if not ref or not can_be(ref):
        raise tk.Invalid(_("Must be HEAD, a tag, or the first 7 or more digits of a revision id"))
    return ref


def metastore_sha(value: Any) -> str:
    """A full revision id."""
    if not is_full_sha(metastore_text(value)):
        raise tk.Invalid(_("Must be a revision id of 40 hexadecimal digits"))
    return str(value)


def metastore_tag_name(value: Any) -> str:
    """A name that Git and GitHub take for a tag."""
    try:
        return check_tag_name(metastore_text(value))
    except (InvalidName, Invalid) as error:
        raise tk.Invalid(translated(error.reason)) from error


def metastore_time(value: Any) -> int:
    """A time in ISO 8601, UTC where it names no zone; gives seconds since 1970-01-01 UTC."""
    text = metastore_text(value).strip()
    try:
        time = datetime.fromisoformat(text[:-1] + "+00:00" if text[-1:] in {"Z", "z"} else text)
        time = time.astimezone(timezone.utc) if time.tzinfo else time.replace(tzinfo=timezone.utc)
    except (ValueError, OverflowError) as error:
        raise tk.Invalid(_("Must be a time in ISO 8601, such as 2024-05-03T12:00:00Z")) from error
    return int(time.timestamp())


def metastore_scopes(value: Any) -> list[Scope]:
    """Scopes: a list of texts, or one text with a space between each two."""
    texts = value.split(" ") if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise tk.Invalid("Must be a list of texts, or one text with a space between each two scopes")
    if not 1 <= len(texts) <= SCOPE_LIMIT:
        raise tk.Invalid(f"Must be 1 to {SCOPE_LIMIT} scopes, not {len(texts)}")
    try:
        scopes = [parse_scope(text) for text in texts]
    except Invalid as error:
        raise tk.Invalid(error.reason) from error
    # Giftless reads a token's scopes as one.
    if len(scopes) > 1 and any(scope.type == "obj" for scope in scopes):
        raise tk.Invalid("A scope of type obj must be the only one: ask for one token each")
    return scopes


def metastore_lifetime(value: Any) -> int:
    """How many seconds a token is to live."""
    return _whole_number(value, 1, OFFSET_LIMIT)


def metastore_limit(value: Any) -> int:
    """How many items a page may have."""
    return _whole_number(value, 1, PAGE_LIMIT)


def metastore_offset(value: Any) -> int:
    """How many items come before a page."""
    return _whole_number(value, 0, OFFSET_LIMIT)


def _whole_number(value: Any, least: int, most: int) -> int:
    """One validator and not a chain: CKAN runs the rest of a chain on what its beginning has refused."""
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    if not re.fullmatch(r"-?[0-9]{1,20}", text) or not least <= int(text) <= most:
        sentence = _("Must be a whole number from {least} to {most}")
        raise tk.Invalid(sentence.format(least=f"{least:,}", most=f"{most:,}"))
    return int(text)


def metastore_names(value: Any) -> list[str]:
    """A list of names, or one text with commas between them."""
    names = [name.strip() for name in value.split(",")] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise tk.Invalid(_("Must be a list of names, with one at least"))
    return names
