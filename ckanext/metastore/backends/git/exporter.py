"""Histories as plain bare repositories, which borrow from no other and need nothing of ours."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ckanext.metastore.backends.git.folder import create_repository, move
from ckanext.metastore.backends.git.inspector import GitInspector
from ckanext.metastore.backends.git.libgit2 import translated_errors
from ckanext.metastore.backends.git.packing import CONFIG
from ckanext.metastore.backends.git.publishing import RUNS, publish_private, publish_public, publish_tag, remove_tag
from ckanext.metastore.backends.git.repository import TAGS, Repository
from ckanext.metastore.backends.git.transport import run_git
from ckanext.metastore.core.errors import Conflict, NotFound, Unavailable
from ckanext.metastore.core.findings import Expected
from ckanext.metastore.core.types import RecordedRevision, TagUpdate

_PATIENCE = 3600.0


class GitExporter(GitInspector):
    """Writes histories to where nobody needs a metastore."""

    def export(
        self,
        package: Expected,
        *,
        target: Path,
        private: bool = False,
        newest: str | None = None,
        revisions: Iterable[RecordedRevision] = (),
        tags: Iterable[TagUpdate] = (),
    ) -> None:
        """Write a package's history as a bare repository of its own; move one forward that is there."""
        if package.head is not None:
            self._fetch_what_is_missing(package.package_id, package.head)
        wanted = [(True, [f"refs/heads/{self._branch}"]), *([(False, [f"{RUNS}*"])] if private else [])]
        sources = [
            (repository.path, [*branches, "refs/tags/*"])
            for public, branches in wanted
            if (repository := self._repository(package.package_id, public=public))
        ]
        export = _Export(package, self._branch, sources, list(revisions), list(tags), private, newest)
        with translated_errors("write the repository"):
            export.forward(target) if target.exists() else export.create(target)

    def _fetch_what_is_missing(self, package_id: str, head: str) -> None:
        """Read the newest revision: a backend that can fetch it does so.

        :raises NotFound: it is nowhere
        """
        try:
            self.load(package_id, sha=head)
        except NotFound as error:
            if error.kind != "file":  # the package is deleted there
                raise


@dataclass(frozen=True)
class _Export:
    """What is to be in the repository: refs of others, and then what is in none yet."""

    package: Expected
    branch: str
    sources: Sequence[tuple[Path, Sequence[str]]]
    revisions: Sequence[RecordedRevision]
    tags: Sequence[TagUpdate]
    private: bool
    newest: str | None

    def create(self, target: Path) -> None:
        """Make it under another name, so that nobody sees half of it."""
        target.parent.mkdir(parents=True, exist_ok=True)
        new = target.with_name(f".export-{target.name}")
        shutil.rmtree(new, ignore_errors=True)
        create_repository(new, self.branch, mode=0o700 if self.private else 0o777)
        self.forward(new)
        for tag in self.tags:
            if tag.object is None:
                remove_tag(Repository(new), tag.name)
        move(new, target)

    def forward(self, target: Path) -> None:
        """Move its refs forward.

        :raises Conflict: it holds something else
        """
        for source, refs in self.sources:
            _fetch(target, source, refs)
        repository = Repository(target)
        publish_public(repository, self.branch, [revision for revision in self.revisions if revision.public])
        for revision in self.revisions:
            if not revision.public:
                publish_private(repository, revision)
        for tag in self.tags:
            if tag.object is not None:
                publish_tag(repository, tag.name, tag.object)
        self._set_head(repository)
        self._prove(repository)

    def _set_head(self, repository: Repository) -> None:
        """Let a clone check out the newest revision."""
        heads = repository.refs("refs/heads/")
        newest = next((name for name, sha in heads.items() if sha == self.newest), self.branch)
        repository.set_head(f"refs/heads/{newest}")

    def _prove(self, repository: Repository) -> None:
        """See that all is there that was published.

        :raises NotFound: a revision or a tag is nowhere
        """
        heads = repository.refs("refs/heads/").values()
        public = [self.package.head] if self.package.head else []
        for sha in [*public, *(self.package.private if self.private else ())]:
            if not any(repository.holds(tip, sha) for tip in heads):
                raise NotFound("revision", sha)
        tags = {**self.package.tags, **(self.package.private_tags if self.private else {})}
        if lost := tags.keys() - repository.refs(TAGS).keys():
            raise NotFound("tag", ", ".join(sorted(lost)))


def _fetch(target: Path, source: Path, refs: Sequence[str]) -> None:
    """Take over refs of another repository on this machine, all or none, none of them backwards."""
    trust = target / "metastore-trust"  # whose files these are is not asked: Git reads that from a file only
    trust.write_text("[safe]\n\tdirectory = *\n")
    options = ["--atomic", "--no-tags", "--no-write-fetch-head"]
    arguments = ["fetch", *options, str(source), *(f"{ref}:{ref}" for ref in refs)]
    local = {"GIT_ALLOW_PROTOCOL": "file", "GIT_CONFIG_GLOBAL": str(trust)}
    config = {**CONFIG, "transfer.fsckObjects": "true"}
    try:
        result = run_git(
            target, [*arguments, *(f"{ref}:{ref}" for ref in refs)], config, seconds=_PATIENCE, environment=local
        )
    finally:
        trust.unlink()
    if "[rejected]" in result.stderr:
        raise Conflict(f"{target} holds something else: {' '.join(result.stderr.split())[-300:]}")
    if result.returncode:
        raise Unavailable(f"cannot copy {source}: {' '.join(result.stderr.split())[-300:]}")
