"""Forms that another site sends in somebody's name are refused.

CKAN asks for its token, too, but not always: 2.11 leaves out extensions, and 2.12 leaves out for good, in that process,
whatever address somebody without an account has sent a form to.
"""

from __future__ import annotations

from flask import Blueprint, current_app, g


def protect(blueprint: Blueprint) -> None:
    """Have CKAN's token asked for with each form that a browser sends to these pages for somebody who is logged in."""
    blueprint.before_request(_ask_for_token)


def _ask_for_token() -> None:
    from ckan.config.middleware.flask_app import csrf  # it imports all of CKAN's own pages

    # CKAN's name for a request that no session stands behind.
    if current_app.config["WTF_CSRF_ENABLED"] and not g.get("login_via_auth_header"):
        csrf.protect()
