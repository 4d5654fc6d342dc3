"""What goes wrong, one function for each kind: it lets it happen to a dataset's savers, and says how many it killed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from crash_actors import Actor
from crash_points import PUBLISHING, RINGING, SAVING, fill_disk, set_clock_back
from crash_stage import MODES, Case, restart

Happen = Callable[[Case], int]

SAVES = 6
OLD = 3_600


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong.

    :param modes: how saves are published meanwhile
    :param happen: lets it happen once
    :param kills: whether it is one that kills
    :param unsure: whether the database goes away: who was not answered then does not know what came of it
    :param fresh: whether it can happen to a new dataset only
    """

    name: str
    happen: Happen
    modes: tuple[str, ...] = MODES
    kills: bool = False
    unsure: bool = False
    fresh: bool = False


# -- killed ---------------------------------------------------------------------------------------------------------


def _kill_saver_at(point: str, case: Case) -> int:
    """One saver dies at the point, another goes on."""
    before = case.kills()
    nth = 1 if point == "4 repository made at GitHub" else random.randint(1, 3)
    savers = [case.saver(SAVES, point=point, nth=nth), case.saver(2)]
    _join(*savers)
    _finish(case)
    return case.kills() - before


def _kill_worker_at(point: str, case: Case) -> int:
    """A worker dies at the point, or its work horse alone, while somebody saves."""
    before = case.kills()
    case.saver(2).join()
    actors = [case.worker(point=point, parent_too=random.random() < 0.5), case.saver(SAVES // 2)]
    _join(*actors)
    _finish(case)
    return case.kills() - before


def _kill_saver(case: Case) -> int:
    victim, other = case.saver(100), case.saver(2)
    time.sleep(random.uniform(0.05, 1.5))
    killed = victim.kill()
    _join(other)
    _finish(case)
    return int(killed)


def _kill_worker(case: Case) -> int:
    case.saver(1).join()
    victim, saver = case.worker(), case.saver(SAVES // 2)
    time.sleep(random.uniform(0.02, 0.5))
    killed = victim.kill()
    _join(saver)
    _finish(case)
    return int(killed)


# -- something else goes away ---------------------------------------------------------------------------------------


def _meanwhile(case: Case, action: Callable[[], None]) -> int:
    """Two save, and in the background a worker publishes, while something happens."""
    case.saver(1).join()
    actors = [case.saver(2 * SAVES), case.saver(2 * SAVES)]
    if case.mode == "background":
        actors.append(case.worker())
    time.sleep(random.uniform(0.1, 1.0))
    action()
    _join(*actors)
    _finish(case)
    return 0


def _crash_database(case: Case) -> int:
    return _meanwhile(case, partial(restart, case.stage.database, signal.SIGQUIT, _pause))


def _stop_database(case: Case) -> int:
    return _meanwhile(case, partial(restart, case.stage.database, signal.SIGINT, _pause))


def _kill_redis(case: Case) -> int:
    return _meanwhile(case, partial(restart, case.stage.redis, signal.SIGKILL, _pause))


def _kill_github(case: Case) -> int:
    def action() -> None:
        case.stage.github.kill()
        _pause()
        case.stage.github.start()

    return _meanwhile(case, action)


def _cut(when: str, case: Case) -> int:
    _meanwhile(case, lambda: [case.stage.github.tell(when) for _ in range(3)] and None)
    case.stage.github.tell("clear")
    return 0


def _delete_repository(case: Case) -> int:
    return _meanwhile(case, lambda: shutil.rmtree(case.local, ignore_errors=True))


def _halve_repository(case: Case) -> int:
    return _meanwhile(case, lambda: (case.local / "HEAD").unlink(missing_ok=True))


def _lock(case: Case) -> int:
    """What a killed process of Git's leaves behind."""

    def action() -> None:
        for name in ("refs/heads/main.lock", "packed-refs.lock", "HEAD.lock"):
            if (lock := case.local / name).parent.exists():
                lock.touch()
                os.utime(lock, (time.time() - OLD,) * 2)

    return _meanwhile(case, action)


# -- the machine ----------------------------------------------------------------------------------------------------


def _disk_is_full(case: Case) -> int:
    case.saver(2).join()
    actors = [case.saver(SAVES, *([fill_disk] if case.mode == "inline" else []))]
    if case.mode == "background":
        actors.append(case.worker(fill_disk))
    _join(*actors)
    return 0


def _clock_is_back(case: Case) -> int:
    case.saver(3).join()
    actors = [case.saver(SAVES, set_clock_back), case.saver(3)]
    if case.mode == "background":
        actors.append(case.worker(set_clock_back))
    _join(*actors)
    _finish(case)
    return 0


def _join(*actors: Actor) -> None:
    for actor in actors:
        actor.join()


def _finish(case: Case) -> None:
    """Half of the time a worker goes on with what is left, before ``publish --all`` does."""
    if case.mode == "background" and random.random() < 0.5:
        case.worker().join()


def _pause() -> None:
    time.sleep(random.uniform(0.1, 1.0))


_POINTS = (
    *(Fault(f"saver: {point}", partial(_kill_saver_at, point), kills=True) for point in SAVING),
    *(Fault(f"saver: {point}", partial(_kill_saver_at, point), ("background",), kills=True) for point in RINGING),
    *(
        Fault(f"saver: {point}", partial(_kill_saver_at, point), ("inline",), kills=True, fresh="made" in point)
        for point in PUBLISHING
    ),
    *(
        Fault(f"worker: {point}", partial(_kill_worker_at, point), ("background",), kills=True, fresh="made" in point)
        for point in PUBLISHING
    ),
)

KILLS = (
    *_POINTS,
    Fault("saver: at random", _kill_saver, kills=True),
    Fault("worker: at random", _kill_worker, ("background",), kills=True),
)

OTHERS = (
    Fault("PostgreSQL crashes", _crash_database, unsure=True),
    Fault("PostgreSQL is restarted", _stop_database, unsure=True),
    Fault("Redis is killed", _kill_redis),
    Fault("GitHub is killed", _kill_github),
    Fault("cut before GitHub acts", partial(_cut, "before")),
    Fault("cut after GitHub acted", partial(_cut, "after")),
    Fault("local repository deleted", _delete_repository),
    Fault("local repository half deleted", _halve_repository),
    Fault("stale locks", _lock),
    Fault("disk full", _disk_is_full),
    Fault("clock set back", _clock_is_back),
)

SHORT = (
    *(f"saver: {point}" for point in ("1 rows are written", "2 recorded, not committed", "3 committed")),
    *(f"saver: {point}" for point in ("3 before the bell", "4 locked", "4 repository made at GitHub")),
    *(f"saver: {point}" for point in ("4 objects written", "4 while pushing", "4 pushed", "4 local refs moved")),
    *(f"saver: {point}" for point in ("4 before the mark", "at random")),
    *(f"worker: {point}" for point in ("4 objects written", "4 pushed", "4 marked, not committed", "at random")),
)
"""What the tests let happen, once each."""
