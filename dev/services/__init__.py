"""PostgreSQL, Redis and Solr on loopback, started together and stopped together."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dev.ports import free
from dev.process import Server
from dev.services import postgres
from dev.services.postgres import Cluster
from dev.services.redis import Redis
from dev.services.solr import Solr


@dataclass(frozen=True)
class Plan:
    """What to start, and where."""

    cluster: Cluster
    redis: Redis
    solr: Solr
    logs: Path
    durable: bool

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables by which CKAN finds these services; they override its ini file."""
        return {
            "CKAN_SQLALCHEMY_URL": self.cluster.url,
            "CKAN_REDIS_URL": self.redis.url,
            "CKAN_SOLR_URL": self.solr.url,
        }

    def servers(self) -> list[Server]:
        """The servers, their data laid out and ready to be started."""
        self.cluster.create()
        settings = () if self.durable else postgres.THROWAWAY
        return [
            self.solr.server(self.logs / "solr.log"),
            self.cluster.server(self.logs / "postgresql.log", settings),
            self.redis.server(self.logs / "redis.log", self.durable),
        ]


@contextmanager
def running(plan: Plan) -> Iterator[list[Server]]:
    """Run the services for as long as the block lasts."""
    servers = plan.servers()
    try:
        for server in servers:
            server.start()
        for server in servers:
            server.wait_until_ready()
        yield servers
    finally:
        for server in reversed(servers):
            server.stop()


@contextmanager
def throwaway(durable: bool = False) -> Iterator[Plan]:
    """Services for tests: on free ports, in folders of their own that go when the block ends."""
    with tempfile.TemporaryDirectory(prefix="metastore-") as folder, _cluster_folder() as data:
        plan = Plan(
            cluster=Cluster(data, free(), secrets.token_hex(16)),
            redis=Redis(Path(folder, "redis"), free(), secrets.token_hex(16)),
            solr=Solr(Path(folder, "solr"), free()),
            logs=Path(folder, "log"),
            durable=durable,
        )
        with running(plan):
            yield plan


@contextmanager
def _cluster_folder() -> Iterator[Path]:
    """A folder's name for a throwaway cluster."""
    data = postgres.home(Path(tempfile.gettempdir())) / f"metastore-{secrets.token_hex(6)}"
    try:
        yield data
    finally:
        shutil.rmtree(data, ignore_errors=True)
