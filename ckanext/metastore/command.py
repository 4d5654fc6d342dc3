"""The program ``metastore``: what needs no CKAN."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import click

from ckanext.metastore.authz import ALGORITHMS, KeyRing, generate_private_key
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
