"""What machines get: answers that caches may keep or not, as CKAN's pages, and that need not be sent twice."""

from __future__ import annotations

import ckantoolkit as tk
from flask import Response

from ckanext.metastore import config


def answer(text: bytes, content_type: str) -> Response:
    """An answer with a tag of what it says; nothing but "not modified" (304) to who has it already."""
    response = Response(text, content_type=content_type)
    for_whoever_asks()
    response.add_etag()
    response.make_conditional(tk.request)
    return response


def for_whoever_asks() -> None:
    """What is said hangs on who asks: no cache may give it to others."""
    tk.request.environ["__limit_cache_by_cookie__"] = True
    if tk.current_user.is_authenticated or not config.caches_pages():
        tk.request.environ["__no_cache__"] = True
