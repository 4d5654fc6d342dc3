"""The service's description, and whether the service is what it says: Schemathesis, with all its checks."""

from __future__ import annotations

import os
import subprocess
import sys

from ckanext.metastore.service.api.routing import ROUTES
from ckanext.metastore.tests.service.server import Dataset

EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "3")

CONFIG = """
[parameters]
"path.owner" = "acme"
"path.name" = "{name}"
"path.ref" = "HEAD"
"path.resource" = "trees"
"path.tag" = "v1"
"path.number" = {number}
"query.owner" = "acme"

[checks]
# Beside what it takes for usual: a condition that does not hold, a key or a cursor that is none.
positive_data_acceptance.expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 412, 422]
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 412, 414, 415, 422, 428]

# A minute for each, with the standard's schema as a body: it is tried out by the other phases.
[[operations]]
include-operation-id = ["create_dataset", "replace_dataset"]
phases.coverage.enabled = false

# What is moved, deleted or renamed is another one than what is read.
[[operations]]
include-operation-id = ["move_dataset", "delete_dataset", "purge_dataset", "update_tag", "delete_tag"]
parameters = {{ "path.name" = "{other}" }}

[[operations]]
include-operation-id = ["update_mirror", "delete_mirror"]
parameters = {{ "path.number" = {other_number} }}
"""


def test_every_route_is_described_once(client):
    said = client.get("/openapi.json").json()
    described = {(method.upper(), path) for path, methods in said["paths"].items() for method in methods}
    assert described == {(route.method, route.path) for route in ROUTES}
    assert said["openapi"].startswith("3.1")
    page = client.get("/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    for route in ROUTES:
        assert f"{route.method} {route.path}" in page.text


def test_the_service_is_what_it_says(client, server, tmp_path):
    datasets = Dataset(client), Dataset(client)
    for dataset in datasets:
        dataset.post("/tags", {"name": "v1"})
    mirrors = [client.post("/v1/mirrors", json={"owner": "acme", "name": name}).json() for name in ("oaks", "elms")]
    config = tmp_path / "schemathesis.toml"
    config.write_text(
        CONFIG.format(
            name=datasets[0].name,
            other=datasets[1].name,
            number=mirrors[0]["number"],
            other_number=mirrors[1]["number"],
        )
    )
    # Without the right to purge, so that there is something to ask for till the end.
    with server.client("ds:acme/:create ds:acme/*:read,update,tag,revert,delete") as other:
        proof = other.headers["Authorization"]
    arguments = ["--checks", "all", "--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "schemathesis.cli",
            "--config-file",
            str(config),
            "run",
            f"{server.url}/openapi.json",
            "-H",
            f"Authorization: {proof}",
            "--suppress-health-check",
            "all",
            "--generation-database",
            "none",
            "--seed",
            "1",
            *arguments,
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    # All but the description itself.
    assert f"Tested: {len(ROUTES) - 1}\n" in done.stdout
