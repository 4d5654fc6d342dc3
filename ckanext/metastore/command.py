"""The program ``metastore``: what needs no CKAN."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import click

from ckanext.metastore.authz import ALGORITHMS, KeyRing, generate_private_key


@click.group()
def metastore() -> None:
    """Look after a metastore, without CKAN."""


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
    made: list[Path] = []
    try:
        for path, content, mode in ((file, pem, 0o600), (public, KeyRing(private_key=pem).keys().pem, 0o644)):
            _write(path, content, mode)
            made.append(path)
    except OSError as error:
        for path in made:
            with suppress(OSError):
                path.unlink()
        raise click.ClickException(f"{error.filename} cannot be written: {error.strerror}") from error
    click.echo(f"ckanext.authz_service.jwt_private_key_file = {file.absolute()}")
    click.echo(f"ckanext.authz_service.jwt_public_key_file = {public.absolute()}")


def _write(path: Path, content: str, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(content)
