"""Whether all that was answered is in the index and in the repositories, and nothing else."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any


def judge(data: Path, clients: Sequence[Any]) -> Iterator[str]:
    """Tell what is wrong, of a service that has ended.

    :param data: its folder
    """
    repositories = {path.stem: path for path in (data / "repositories").glob("*/*.git")}
    with closing(sqlite3.connect(data / "index.sqlite")) as index:
        ids = dict(index.execute("SELECT name, id FROM dataset"))
        told = {name for client in clients for name in client.histories}
        yield from (f"{name}: it is lost" for name in told - set(ids))
        yield from (f"{name}: nobody made it, or it was purged" for name in set(ids) - told)
        (waiting,) = index.execute("SELECT count(*) FROM revision WHERE NOT published").fetchone()
        if waiting:
            yield f"{waiting} revisions are not published"
        for client in clients:
            for name, shas in client.histories.items():
                if name in ids:
                    yield from _look(index, ids[name], name, shas, client.tags[name], repositories)
    known = {*ids.values(), *(f"{id_}.private" for id_ in ids.values())}
    yield from (f"{path}: a repository of no dataset" for name, path in repositories.items() if name not in known)


def _look(
    index: sqlite3.Connection,
    id_: str,
    name: str,
    shas: Sequence[str],
    tags: set[str],
    repositories: dict[str, Path],
) -> Iterator[str]:
    rows = list(index.execute("SELECT sha, public FROM revision WHERE dataset_id = ? ORDER BY seq", (id_,)))
    if [sha for sha, _ in rows] != list(shas):
        yield f"{name}: {len(shas)} revisions were answered, and not these {len(rows)} are in the index"
    found = {row[0] for row in index.execute("SELECT name FROM tag WHERE dataset_id = ?", (id_,))}
    if found != tags:
        yield f"{name}: its tags are {sorted(found)}, and were answered as {sorted(tags)}"
    public = [sha for sha, is_public in rows if is_public]
    held = _git(repositories[id_], "rev-list", "--first-parent", "--reverse", "main").split() if public else []
    if held != public:
        yield f"{name}: its repository has {len(held)} public revisions, the index {len(public)}"
    for repository in (repositories.get(id_), repositories.get(f"{id_}.private")):
        if repository and (said := _git(repository, "fsck", "--strict", "--no-dangling")):
            yield f"{repository}: {said}"
    private = [sha for sha, is_public in rows if not is_public]
    if private:
        kept = _git(repositories[f"{id_}.private"], "cat-file", "--batch-check", stdin="\n".join(private))
        if "missing" in kept:
            yield f"{name}: its private repository misses revisions"


def _git(repository: Path, *words: str, stdin: str = "") -> str:
    command = ["git", "-c", "safe.directory=*", "--git-dir", str(repository), *words]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    return done.stdout + (done.stderr if done.returncode or words[0] == "fsck" else "")
