"""``POST /metastore/webhook/github``: GitHub tells that somebody has committed.

A delivery is only a bell: nothing in it is believed but which repository it is about, and that is looked at then. So a
delivery that comes twice, late, or again after years does no harm.

:see: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

from __future__ import annotations

import hmac
import json
from typing import Any
from urllib.parse import parse_qs

from flask import Blueprint, Response, jsonify, request

from ckanext.metastore import config, jobs
from ckanext.metastore.model import pulls

MAX_SIZE = 25_000_000
"""Bytes. GitHub sends no more."""

_MAX_NUMBER = 2**63

blueprint = Blueprint("metastore_webhook", __name__)


@blueprint.route("/metastore/webhook/github", methods=["POST"])
def github() -> Response:
    """Note that a dataset is to be pulled, and answer; the job queue does the rest."""
    secret = config.webhook_secret()
    if not secret:
        return _answer(404, "no webhook is expected here: ckanext.metastore.webhook_secret is not set")
    body = request.stream.read(MAX_SIZE + 1)
    if len(body) > MAX_SIZE:
        return _answer(413, f"a delivery has at most {MAX_SIZE:,} bytes")
    if not is_signed(body, secret, request.headers.get("X-Hub-Signature-256", "")):
        return _answer(401, "the signature in X-Hub-Signature-256 is missing, or not made with our secret")
    try:
        delivery = json.loads(_payload(body))
        number = delivery["repository"]["id"] if _moves_our_branch(delivery) else None
    except (KeyError, TypeError, ValueError, RecursionError):
        return _answer(400, "the payload is no delivery of GitHub's: it must be a JSON object, with a repository's id")
    if number is None:
        return _answer(200, "nothing to do")
    return _noted(number)


def is_signed(body: bytes, secret: str, signature: str) -> bool:
    """Whether a delivery was signed with the secret. How long that takes tells nothing of what would be right."""
    right = "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest()
    return hmac.compare_digest(right.encode(), signature.encode())


def _payload(body: bytes) -> bytes:
    """The JSON text: a webhook may be set up to send it in a form."""
    if request.mimetype == "application/x-www-form-urlencoded":
        return parse_qs(body)[b"payload"][0]
    return body


def _moves_our_branch(delivery: Any) -> bool:
    """Whether somebody has moved the branch that holds the datasets. Whatever is merged there, is pushed there."""
    if not isinstance(delivery, dict):
        raise TypeError("no object")
    pushed = request.headers.get("X-GitHub-Event") == "push"
    return pushed and delivery["ref"] == f"refs/heads/{config.option('branch')}"


def _noted(number: Any) -> Response:
    known = type(number) is int and 0 < number < _MAX_NUMBER
    dataset_id = pulls.dataset_of(config.host(), number) if known else None
    if dataset_id is None:
        return _answer(200, "no dataset has this repository")
    if not config.pull_user():
        return _answer(200, "nothing is pulled: ckanext.metastore.pull_user is not set")
    pulls.want(dataset_id)
    jobs.wake([dataset_id])
    return _answer(202, "the dataset will be pulled")


def _answer(status: int, message: str) -> Response:
    response = jsonify({"message": message})
    response.status_code = status
    return response
