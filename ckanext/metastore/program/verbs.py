"""The program's verbs that speak to a service: from ``metastore create`` to ``metastore purge``."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, NoReturn

import click

from ckanext.metastore.core.document import canonical_json, parse_document
from ckanext.metastore.core.errors import (
    Conflict,
    Invalid,
    InvalidName,
    MetastoreError,
    NotFound,
    RateLimited,
    Unauthorized,
    Unavailable,
)
from ckanext.metastore.core.types import Document
from ckanext.metastore.program import printing

if TYPE_CHECKING:
    from ckanext.metastore.client import Client

URL = "http://127.0.0.1:5080"
LOG_LIMIT = 20

EXITS: dict[type[MetastoreError], int] = {
    Invalid: 2,
    InvalidName: 2,
    NotFound: 3,
    Conflict: 4,
    Unauthorized: 5,
    RateLimited: 6,
    Unavailable: 6,
}
"""Exit status by error; 1 is any other, and 2 is the command line's, too."""

_FORMATS = {"changes": "diff", "json-patch": "json_patch", "text": "text_diff"}


def _named(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[str, str]:
    """Take ``OWNER/NAME`` apart."""
    owner, _, name = value.partition("/")
    if not (owner and name) or "/" in name:
        raise click.BadParameter(f"{value!r} is no dataset; write one like parks/street-trees")
    return owner, name


def _timed(_context: click.Context, _parameter: click.Parameter, value: str | None) -> datetime | None:
    """Read a time in ISO 8601; without a zone it is UTC."""
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        raise click.BadParameter(f"{value!r} is no time; write one like 2026-05-01T12:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def verb(function: Callable[..., None]) -> Callable[..., None]:
    """Give a function its client. What goes wrong becomes a sentence, and an exit status."""

    @click.option("--url", envvar="METASTORE_URL", default=URL, show_default=True, help="The service's address.")
    @functools.wraps(function)
    def run(*arguments: Any, url: str, **options: Any) -> None:
        try:
            with _client(url) as client:
                function(client, *arguments, **options)
        except MetastoreError as error:
            _fail(error)

    return run


dataset_argument = click.argument("dataset", callback=_named, metavar="OWNER/NAME")
message_option = click.option("-m", "--message", default="", help="What has changed, and why.")
json_option = click.option("--json", "as_json", is_flag=True, help="For machines.")
base_option = click.option("--base", metavar="REVISION", help="The full id of the revision that you started from.")
private_option = click.option("--private/--public", default=None, help="Whether only those with a token may see it.")


@click.command()
@dataset_argument
@click.argument("file", type=click.File("rb"))
@message_option
@private_option
@verb
def create(client: Client, dataset: tuple[str, str], file: Any, message: str, private: bool | None) -> None:
    """Start a dataset's history with the Data Package in FILE ("-": standard input). Prints the revision's id."""
    owner, name = dataset
    made = client.create(owner, _document(file), name=name, message=message, private=bool(private))
    click.echo(made.revision_id)


@click.command()
@dataset_argument
@click.argument("file", type=click.File("rb"))
@message_option
@private_option
@base_option
@verb
def update(
    client: Client, dataset: tuple[str, str], file: Any, message: str, private: bool | None, base: str | None
) -> None:
    """Save the Data Package in FILE as a dataset's new revision. Prints the newest revision's id."""
    saved = client.update(*dataset, _document(file), message=message, private=private, base_revision=base)
    click.echo(saved.revision_id)


@click.command()
@dataset_argument
@click.option("--revision", metavar="REF", help="As it was there: a tag, or a revision's id or its first digits.")
@click.option("--as-of", callback=_timed, metavar="TIME", help="As it was then.")
@verb
def show(client: Client, dataset: tuple[str, str], revision: str | None, as_of: datetime | None) -> None:
    """Print a dataset's Data Package."""
    if revision is not None and as_of is not None:
        raise click.UsageError("Give --revision or --as-of, not both.")
    found = client.fetch(*dataset, revision=revision, as_of=as_of)
    click.echo(canonical_json(found.document).decode(), nl=False)


@click.command()
@dataset_argument
@click.option("-n", "--limit", type=click.IntRange(min=1), default=LOG_LIMIT, show_default=True, help="How many.")
@json_option
@verb
def log(client: Client, dataset: tuple[str, str], limit: int, as_json: bool) -> None:
    """List a dataset's revisions, newest first."""
    revisions = list(islice(client.revision_list(*dataset), limit))
    click.echo(printing.as_json(revisions) if as_json else printing.revisions(revisions))


@click.command()
@dataset_argument
@click.argument("a")
@click.argument("b", default="HEAD")
@click.option("--format", "form", type=click.Choice(list(_FORMATS)), default="changes", show_default=True)
@json_option
@verb
def diff(client: Client, dataset: tuple[str, str], a: str, b: str, form: str, as_json: bool) -> None:
    """Print what has changed from revision A to revision B."""
    found = getattr(client, _FORMATS[form])(*dataset, a, b)
    if form == "text":
        click.echo(found, nl=False)
    elif form == "json-patch" or as_json:
        click.echo(printing.as_json(found))
    elif found:
        click.echo(printing.changes(found))


@click.command()
@dataset_argument
@click.argument("tag", required=False)
@click.option("--revision", metavar="REF", default="HEAD", show_default=True, help="Which revision to name.")
@click.option("-m", "--message", "description", default="", help="What this version is.")
@click.option("-d", "--delete", is_flag=True, help="Take the name away.")
@json_option
@verb
def tag(
    client: Client,
    dataset: tuple[str, str],
    tag: str | None,
    revision: str,
    description: str,
    delete: bool,
    as_json: bool,
) -> None:
    """Name a revision TAG; without TAG, list all tags."""
    if delete and tag is None:
        raise click.UsageError("Say which tag to delete.")
    if delete:
        client.tag_delete(*dataset, str(tag))
    elif tag is not None:
        made = client.tag_create(*dataset, tag, description=description, revision=revision)
        click.echo(printing.as_json(made) if as_json else printing.tags([made]))
    else:
        found = client.tag_list(*dataset)
        click.echo(printing.as_json(found) if as_json else printing.tags(found), nl=as_json or bool(found))


@click.command()
@dataset_argument
@click.argument("revision")
@message_option
@base_option
@verb
def revert(client: Client, dataset: tuple[str, str], revision: str, message: str, base: str | None) -> None:
    """Save what the dataset was at REVISION again, as a new revision. Prints its id."""
    click.echo(client.revert(*dataset, revision, message=message, base_revision=base).revision_id)


@click.command("list")
@click.argument("owner", required=False)
@json_option
@verb
def list_(client: Client, owner: str | None, as_json: bool) -> None:
    """List the datasets that you may read; those of OWNER, where it is given."""
    found = client.list(owner=owner)
    if as_json:
        click.echo(printing.as_json(list(found)))
        return
    for dataset in found:
        click.echo(printing.listed(dataset))


@click.command()
@dataset_argument
@click.argument("new", callback=_named, metavar="NEW_OWNER/NEW_NAME")
@verb
def move(client: Client, dataset: tuple[str, str], new: tuple[str, str]) -> None:
    """Give a dataset another owner or name; its history goes along. Prints what it is called now."""
    moved = client.move(*dataset, new_owner=new[0], new_name=new[1])
    click.echo(f"{moved.owner}/{moved.name}")


@click.command()
@dataset_argument
@message_option
@base_option
@verb
def delete(client: Client, dataset: tuple[str, str], message: str, base: str | None) -> None:
    """Delete a dataset, by a revision that says so; revert brings it back. Prints the revision's id."""
    click.echo(client.delete(*dataset, message=message, base_revision=base).id)


@click.command()
@dataset_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@verb
def purge(client: Client, dataset: tuple[str, str], yes: bool) -> None:
    """Destroy a dataset and its history, for good. Asks you to type its name."""
    name = "/".join(dataset)
    if not yes and click.prompt(f"Type {name} to destroy it and its history", err=True) != name:
        raise click.ClickException(f"{name} is as it was: that is not its name")
    client.purge(*dataset)


VERBS = (create, list_, show, update, log, diff, tag, revert, move, delete, purge)


def _client(url: str) -> Client:
    try:
        from ckanext.metastore.client import Client
    except ModuleNotFoundError as error:
        raise click.ClickException("this needs httpx: pip install 'ckanext-metastore[client]'") from error
    # By the environment only: everybody on the machine can see a command line.
    return Client(url, token=os.environ.get("METASTORE_TOKEN", ""))


def _document(file: IO[bytes]) -> Document:
    try:
        return parse_document(file.read())
    except Invalid as error:
        raise Invalid(getattr(file, "name", "FILE"), error.reason) from error


def _fail(error: MetastoreError) -> NoReturn:
    text = str(error)
    if isinstance(error, Conflict) and error.current is not None:
        current = error.current
        text += f": {current.id}, by {current.author.name}, {current.timestamp.isoformat()}"
    if isinstance(error, Unauthorized) and not os.environ.get("METASTORE_TOKEN"):
        text += " (METASTORE_TOKEN is not set)"
    click.echo(f"Error: {text}", err=True)
    sys.exit(next((status for kind, status in EXITS.items() if isinstance(error, kind)), 1))
