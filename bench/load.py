"""Many clients read and save at once, for some minutes, and then it is looked what is lost: ``make load``.

A real CKAN under gunicorn, with workers where saves are published in the background, and a stand-in for GitHub. In the
end ``ckan metastore publish --all`` runs once; then each save that was answered with success has to be in the history
at GitHub, once and in order, and none that failed. No answer may be 500 or above, and what the servers hold on to has
to level off. Wants Solr, by ``CKAN_SOLR_URL``; the rest it starts itself.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from load_client import Asked, Client
from load_park import SHARED, Park
from load_portal import People, begin, commands, found, kept
from load_reads import read
from load_samples import watching
from load_saves import create, save
from load_stage import Stage, stage
from load_table import show_levels, show_requests, trouble
from load_verdict import LoadVerdict, judge

READS = 0.65
"""Of the turns, so many read, once all datasets are made."""

LOOKS = 200
"""So often it is looked what the servers hold on to, but not more often than after ``PAUSE`` seconds."""

PAUSE = 0.2


def main() -> None:
    """Let them, and print the tables."""
    options = _options()
    random.seed(options.seed)
    told = f"{options.clients} clients, {options.datasets} datasets, {options.seconds:.0f} s, seed {options.seed}"
    print(f"{told}; publish = {options.publish}", flush=True)
    with stage(options.publish, options.processes, options.threads) as played:
        if not _play(played, options):
            sys.exit(played.logs(options.log))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="how long, when all datasets are made")
    parser.add_argument("--datasets", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--processes", type=int, default=2, help="of the web server")
    parser.add_argument("--threads", type=int, default=8, help="of each of its processes")
    parser.add_argument("--publish", choices=("inline", "background"), default="inline")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of what the clients choose")
    parser.add_argument("--log", type=int, default=5_000, help="characters of each log, should it fail")
    options = parser.parse_args()
    if options.datasets < (least := SHARED + options.clients):
        parser.error(f"--datasets must be {least} or more: some are shared, and each client needs one of its own")
    return options


def _play(played: Stage, options: argparse.Namespace) -> bool:
    """One run; whether all is well."""
    begin()
    people = found(options.clients)
    park = Park(options.datasets, options.clients)
    clients = [Client(number, played.url, token, people.master) for number, token in enumerate(people.editors)]
    with played.serving() as servers:
        seconds = _together(clients, lambda client: _make(client, park, people))
        made = _asked(clients)
        print("While the datasets are made:")
        show_requests(made, seconds)
        clients[0].page("page", park.slots[0])  # CKAN builds its assets; two at once would fail
        end = time.monotonic() + options.seconds
        with watching(servers, played.database_url, max(options.seconds / LOOKS, PAUSE)) as watch:
            seconds = _together(clients, lambda client: _use(client, park, people, end))
        print("Then:")
        show_requests(_asked(clients)[len(made) :], seconds)
        show_levels(watch.levels())
    verdict = _judge(played, clients, park)
    verdict.wrong += [*trouble(_asked(clients)), *(words for client in clients for words in client.wrong)]
    verdict.wrong += [f"{level.name} has grown" for level in watch.levels() if not level.flat]
    print("\n".join([str(verdict), *(f"    ! {words}" for words in verdict.wrong)]), flush=True)
    return verdict.fine


def _together(clients: Sequence[Client], task: Callable[[Client], None]) -> float:
    """Have all clients do something; gives the seconds that it took."""
    start = time.monotonic()
    with ThreadPoolExecutor(len(clients)) as pool:
        list(pool.map(task, clients))
    return time.monotonic() - start


def _make(client: Client, park: Park, people: People) -> None:
    while slot := park.unmade():
        create(client, slot, people.organization)


def _use(client: Client, park: Park, people: People, end: float) -> None:
    while time.monotonic() < end:
        if random.random() < READS:
            read(client, park)
        else:
            save(client, park, people.organization)


def _asked(clients: Sequence[Client]) -> list[Asked]:
    return sorted((each for client in clients for each in client.asked), key=lambda each: each.begin)


def _judge(played: Stage, clients: Sequence[Client], park: Park) -> LoadVerdict:
    """Publish once what waits, then compare."""
    said = list(commands())
    verdict = judge(_asked(clients), park, kept(), played.remote, played.github.repositories, played.local)
    verdict.wrong += said
    return verdict


if __name__ == "__main__":
    main()
