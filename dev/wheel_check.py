"""Uses the installed library and service in an environment without CKAN; ``dev/wheel.py`` runs it there."""

import importlib.util
import sys
import tempfile
from importlib import resources
from pathlib import Path


def main(environment: Path) -> None:
    """Save a package twice, and read its history."""
    from ckanext.metastore import core

    assert importlib.util.find_spec("ckan") is None, "this environment has CKAN"
    assert environment in Path(core.__file__).parents, f"{core.__file__} is not the installed one"
    assert (resources.files("ckanext.metastore") / "py.typed").is_file()

    author = core.Author("Mira Lindqvist", "mira@example.org")
    with tempfile.TemporaryDirectory() as folder:
        store = core.create_backend("git", path=folder)
        first = store.create("lake", document={"name": "lake"}, author=author, message="First")
        store.update("lake", document={"name": "lake", "title": "The Mere"}, author=author, message="Second")
        assert store.fetch("lake", revision_ref=first.revision.id).document == {"name": "lake"}
        assert [revision.message for revision in store.revision_list("lake")] == ["Second", "First"]
        serve(Path(folder))


def serve(folder: Path) -> None:
    """Save a package by the service, and read what it says of itself."""
    from ckanext.metastore.authz import parse_scopes
    from ckanext.metastore.service import Settings, create_app
    from ckanext.metastore.service.keys import issuer

    settings = Settings(path=folder / "service")
    client = create_app(settings).test_client()
    token, _ = issuer(settings).issue(parse_scopes("ds:mira/:create ds:mira/*:read"), lifetime=60)
    headers = {"Authorization": f"Bearer {token}"}
    document = {"name": "lake", "resources": [{"name": "depths", "path": "depths.csv"}]}
    assert client.post("/v1/datasets?owner=mira", json=document, headers=headers).status_code == 201
    assert client.get("/v1/datasets/mira/lake", headers=headers).status_code == 200
    assert client.get("/docs").status_code == 200


if __name__ == "__main__":
    main(Path(sys.argv[1]))
