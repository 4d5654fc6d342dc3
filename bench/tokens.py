"""What tokens cost: those who bring none, and those who bring one.

One request is one action called through the whole of CKAN, from the WSGI environment to the JSON.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import ckan.plugins.toolkit as tk
from ckan.tests import factories
from measure import Figure, in_turn, milliseconds, ratio, seconds
from portal import Portal

from ckanext.metastore.authz import ALGORITHMS, Issuer, KeyRing, Verifier, generate_private_key, parse_scope
from ckanext.metastore.logic import bearer

ACTION = "dataset_revision_list"


def figures(portal: Portal, times: int) -> Iterator[Figure]:
    """What a request costs with an API token where tokens are taken and where not, and with a token."""
    dataset_id = portal.dataset()["id"]
    api_token = {"Authorization": factories.APIToken(user=portal.editor)["token"]}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "tokens.pem")
        file.write_text(generate_private_key())
        tk.config["ckanext.authz_service.jwt_private_key_file"] = str(file)
        yield _for_others(portal, lambda: portal.get(ACTION, api_token, id=dataset_id), times)
        portal.switch("metastore_authz", on=True)
        token = portal.act("authz_authorize", scopes=f"ds:{dataset_id}:read")["token"]
        ours, theirs = in_turn(
            lambda: portal.get(ACTION, {"Authorization": f"Bearer {token}"}, id=dataset_id),
            lambda: portal.get(ACTION, api_token, id=dataset_id),
            times,
        )
        yield ratio(f"{ACTION} with a token", ours, "an API token", theirs)
        portal.switch("metastore_authz", on=False)
    yield _look()
    for algorithm in ALGORITHMS:
        yield _verification(algorithm, times)


def _for_others(portal: Portal, request: Callable[[], object], times: int) -> Figure:
    """An API token's request, with tokens taken and not taken in turn. Who has just been switched is slow."""
    medians: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(5):
        for on in (False, True):
            portal.switch("metastore_authz", on=on)
            request(), request()
            medians[on].append(milliseconds(seconds(request) for _ in range(times)))
    taken, not_taken = median(medians[True]), median(medians[False])
    return ratio(f"{ACTION} with an API token", taken, "where no tokens are taken", not_taken)


def _look() -> Figure:
    """The look at a request that brings no token: all that everybody pays, a thousand times."""
    taken = seconds(lambda: [bearer.identify() for _ in range(1000)])
    return Figure("The look for a token, where there is none", f"{taken * 1000:.1f} us", "nothing", taken * 1000, "us")


def _verification(algorithm: str, times: int) -> Figure:
    ring = KeyRing(private_key=generate_private_key(algorithm))
    token, _ = Issuer(ring, issuer="bench").issue([parse_scope("ds:parks/trees:read")], lifetime=900, subject="edda")
    verifier = Verifier(ring, issuer="bench", max_lifetime=900)
    verifier.verify(token)
    taken = milliseconds(seconds(lambda: verifier.verify(token)) for _ in range(10 * times))
    return Figure(f"Verifying a token, {algorithm}", f"{taken:.3f} ms", "nothing", taken, "ms")
