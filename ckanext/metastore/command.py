"""The program ``metastore``: what needs no CKAN."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from ckanext.metastore.authz import ALGORITHMS, KeyRing, generate_private_key, parse_scopes
from ckanext.metastore.core import MetastoreError
from ckanext.metastore.program.verbs import VERBS


@click.group()
def metastore() -> None:
    """Look after a metastore, without CKAN."""


for verb in VERBS:
    metastore.add_command(verb)


@metastore.group()
def keys() -> None:
    """The keys that sign and prove tokens."""


@keys.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--algorithm", type=click.Choice(ALGORITHMS), default=ALGORITHMS[0], show_default=True)
def generate(file: Path, algorithm: str) -> None:
    """Make a pair of keys: the private one in FILE, which only you can read, the public one beside it.

    Nothing is ever overwritten.
    """
    pem = generate_private_key(algorithm)
    public = file.with_name(f"{file.stem}.pub{file.suffix}")
    with ExitStack() as undo:
        _write(file, pem, 0o600, undo)
        _write(public, KeyRing(private_key=pem).keys().pem, 0o644, undo)
        undo.pop_all()
    for option, path in (("jwt_private_key_file", file), ("jwt_public_key_file", public)):
        # A percent sign begins a reference there.
        click.echo(f"ckanext.authz_service.{option} = {path.absolute()}".replace("%", "%%"))


_config = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The settings, as TOML; METASTORE_CONFIG, where left out. Each can be set in the environment too.",
)


@metastore.command()
@_config
def serve(config: Path | None) -> None:
    """Serve the metastore over HTTP, without CKAN, until Ctrl-C."""
    with _told():
        from ckanext.metastore.service.serve import serve as run
        from ckanext.metastore.service.settings import Settings

        run(Settings.load(config))


@metastore.group()
def token() -> None:
    """The tokens that the service accepts."""


@token.command()
@click.argument("scopes", nargs=-1, required=True)
@click.option("--subject", help="The account's name, which commits have.")
@click.option("--name", help="The full name of who it is.")
@click.option("--lifetime", type=click.IntRange(min=1), help="Seconds; as long as a token may live, where left out.")
@_config
def issue(
    scopes: tuple[str, ...], subject: str | None, name: str | None, lifetime: int | None, config: Path | None
) -> None:
    """Make a token with SCOPES, such as ds:acme/:create and ds:acme/*:read,update, and print it.

    It is signed with the service's own key, which is made where there is none yet.
    """
    with _told():
        from ckanext.metastore.service.keys import ensure_key, issuer
        from ckanext.metastore.service.settings import Settings

        settings = Settings.load(config)
        if lifetime is not None and lifetime > settings.tokens_lifetime:
            raise click.BadParameter(f"a token may live {settings.tokens_lifetime} s at most", param_hint="--lifetime")
        ensure_key(settings)
        asked = parse_scopes(" ".join(scopes))
        made, _ = issuer(settings).issue(
            asked, lifetime=lifetime or settings.tokens_lifetime, subject=subject, name=name
        )
        click.echo(made)


@contextmanager
def _told() -> Iterator[None]:
    """Say in one line what is wrong with the settings, or what is not installed."""
    try:
        yield
    except MetastoreError as error:
        raise click.ClickException(str(error)) from error
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("ckanext"):
            raise
        raise click.ClickException(f"{error.name} is missing: pip install ckanext-metastore[service]") from error


def _write(path: Path, content: str, mode: int, undo: ExitStack) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        undo.callback(path.unlink, missing_ok=True)
        with os.fdopen(descriptor, "w") as file:
            # Whatever the umask is: others may read the public key.
            os.fchmod(descriptor, mode)
            file.write(content)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from error
