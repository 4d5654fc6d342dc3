"""Uses the installed library in an environment without CKAN; ``dev/wheel.py`` runs it there."""

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


if __name__ == "__main__":
    main(Path(sys.argv[1]))
