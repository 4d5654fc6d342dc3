"""What GitHub makes of names, descriptions and topics."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from ckanext.metastore.testing.github.problems import Problem, invalid

NAME_LIMIT = 100
DESCRIPTION_LIMIT = 350
TOPIC_LIMIT = 20

_STRANGE = re.compile(r"[^A-Za-z0-9._-]+")
_TOPIC = re.compile(r"[a-z0-9][a-z0-9-]{0,49}")


def repository_name(wanted: object, title: str) -> str:
    """Give the name that the repository gets: a run of other characters becomes ``-``.

    :param title: the message of a refusal
    """
    if not isinstance(wanted, str) or not wanted:
        raise invalid("Repository", "name", "missing_field", title=title)
    name = _STRANGE.sub("-", wanted).removesuffix(".git")
    if len(name) > NAME_LIMIT:
        reason = f"name is too long (maximum is {NAME_LIMIT} characters)"
        raise invalid("Repository", "name", "custom", reason, title=title)
    if name in ("", ".", "..") or name.lower().endswith(".wiki"):
        raise invalid("Repository", "name", "custom", "name is not allowed", title=title)
    return name


def description(wanted: object, title: str) -> str | None:
    """Give the description as it is.

    :param title: the message of a refusal
    """
    if wanted is None:
        return None
    if not isinstance(wanted, str):
        raise invalid("Repository", "description", "invalid", title=title)
    if len(wanted) > DESCRIPTION_LIMIT:
        reason = f"description cannot be more than {DESCRIPTION_LIMIT} characters"
        raise invalid("Repository", "description", "custom", reason, title=title)
    if any(unicodedata.category(character) == "Cc" for character in wanted):
        reason = "description control characters are not allowed"
        raise invalid("Repository", "description", "custom", reason, title=title)
    return wanted


def topics(wanted: object) -> tuple[str, ...]:
    """Give the topics in order, each once."""
    if not isinstance(wanted, Sequence) or isinstance(wanted, str):
        raise Problem(422, 'Invalid request.\n\n"names" wasn\'t supplied.')
    names = tuple(dict.fromkeys(wanted))
    if len(names) > TOPIC_LIMIT:
        raise Problem(422, "Validation Failed", errors=[f"A repository cannot have more than {TOPIC_LIMIT} topics."])
    if not all(isinstance(name, str) and _TOPIC.fullmatch(name) for name in names):
        reason = (
            "Topics must start with a lowercase letter or number, consist of 50 characters or less, "
            "and can include hyphens."
        )
        raise Problem(422, "Validation Failed", errors=[reason])
    return names
