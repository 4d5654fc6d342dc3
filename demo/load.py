"""Loads the demo's data into CKAN, once; later only the search index. ``make demo`` runs it.

The clock is set to each event's own time, so that the history looks as old as it says. That works only where
the false clock is in place before CKAN is imported: CKAN's tables remember the functions that tell the time.
"""

import json
import logging
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from freezegun import freeze_time

from demo import story

NOW = ["ckanext.metastore.authz"]
"""Where it is today: a metastore service, which has a clock of its own, takes no tokens of months ago."""


def main(path: Path) -> None:
    """Load what is not there yet. The file at the path knows, and is told when all is done."""
    logging.disable(logging.INFO)
    state = json.loads(path.read_text())
    if state["tokens"]:
        with _ckan():
            _rebuild_index()
    else:
        # What is loaded is believed only once this file says so: else the next start begins anew.
        state |= _load(state["passwords"])
        path.write_text(json.dumps(state, indent=2))


def _load(passwords: dict[str, str]) -> dict[str, Any]:
    """Tell the whole story; gives what the demo has to know of it."""
    events, founded = story.events(), story.portal()
    with freeze_time(founded["founded"], tick=True, ignore=NOW) as clock, _ckan():
        from demo import portal

        portal.found(founded, passwords)
        _play(events, clock)
    with _ckan():
        example = portal.act("package_show", portal.SYSADMIN, {"id": founded["example"]})
        return {
            "tokens": portal.tokens(),
            "organization": next(iter(founded["organizations"])),
            "example": [example["name"], example["id"]],
        }


def _play(events: list[story.Event], clock: Any) -> None:
    from demo import portal

    for number, event in enumerate(events, 1):
        clock.move_to(event.at)
        portal.play(event)
        _progress(number, len(events), f"{event.at:%Y-%m-%d} {event.dataset}")


def _progress(number: int, total: int, text: str) -> None:
    """One line that is written over on a terminal; elsewhere, now and then a line."""
    line = f"   {number:3} of {total} changes: {text}"
    if sys.stdout.isatty():
        print(f"\r\033[K{line}", end="" if number < total else "\n", flush=True)
    elif number % 20 == 0 or number == total:
        print(line, flush=True)


@contextmanager
def _ckan() -> Iterator[None]:
    """CKAN, set up as CKAN_INI says, within a request that is nobody's."""
    from ckan.cli import load_config
    from ckan.config.middleware import make_app

    application: Any = make_app(load_config())
    with application._wsgi_app.test_request_context():
        yield


def _rebuild_index() -> None:
    from ckan.lib import search

    started = time.monotonic()
    search.rebuild(defer_commit=True, quiet=True)
    search.commit()
    print(f"   search index: done in {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a word
    main(Path(sys.argv[1]))
