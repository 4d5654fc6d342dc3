"""``/authz/public_key``: the key that proves this portal's tokens, for services that trust it."""

from __future__ import annotations

import ckantoolkit as tk
from flask import Blueprint, Response

blueprint = Blueprint("metastore_authz", __name__)


@blueprint.route("/authz/public_key")
def public_key() -> Response:
    """The public key, in PEM; nothing (204) where there is none."""
    try:
        found = tk.get_action("authz_public_key")({}, {})
    except tk.ObjectNotFound:
        return Response(status=204)
    return Response(found["public_key"], mimetype="application/x-pem-file")
