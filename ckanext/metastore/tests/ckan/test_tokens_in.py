"""Tokens in: a JWT beside the action API acts as its subject, within its scopes, and nowhere else."""

from __future__ import annotations

import pytest


def test_smoke(portal, app, dataset, bearer, organization):
    answer = app.post(
        "/api/3/action/dataset_tag_create",
        json={"id": dataset["name"], "name": "v9"},
        headers=bearer(f"ds:{organization['name']}/{dataset['name']}:tag"),
    )
    print(answer.json)
    assert answer.status_code == 200
    answer = app.post(
        "/api/3/action/package_patch",
        json={"id": dataset["name"], "title": "v9"},
        headers=bearer(f"ds:{organization['name']}/{dataset['name']}:tag"),
    )
    print(answer.json)
    assert answer.status_code == 403
    answer = app.post(
        "/api/3/action/package_patch",
        json={"id": dataset["name"], "title": "v9"},
        headers={"Authorization": "Bearer nix"},
    )
    print(answer.json, answer.headers)
    assert answer.status_code == 401
