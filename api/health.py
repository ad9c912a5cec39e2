"""What must be there to serve, each as one check with a name."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from api.logs import log
from gis.errors import GridError
from gis.store import jobs, migrate
from gis.store.engine import Store
from gis.store.settings import PROJECT, settings

LEAST_DISK_BYTES: Final = 500_000_000


@dataclass(frozen=True, slots=True)
class Check:
    """One answer.

    Attributes
    ----------
    needed
        Without it the server cannot serve; else it serves, but not everything.
    """

    name: str
    good: bool
    detail: str = ""
    needed: bool = True


def checks(store: Store) -> list[Check]:
    """Return every check; none of them raises."""
    if not (database := _check("database", lambda: _schema(store))).good:
        return [database, _disk()]
    return [
        database,
        _check("extensions", lambda: _extensions(store)),
        _check("row_security", lambda: _row_security(store)),
        _check("spatial_index", lambda: _leakproof(store), needed=False),
        _check("worker", lambda: _worker(store), needed=False),
        _disk(),
    ]


def _check(name: str, ask: Callable[[], tuple[bool, str]], *, needed: bool = True) -> Check:
    try:
        good, detail = ask()
    except GridError as error:
        return Check(name, good=False, detail=str(error), needed=needed)
    except Exception:  # noqa: BLE001 - a check that breaks is an answer too
        log().exception("check_failed", check=name)
        return Check(name, good=False, detail="could not be checked; the log says why", needed=needed)
    return Check(name, good, detail, needed)


def _schema(store: Store) -> tuple[bool, str]:
    have, want = migrate.current(store), migrate.head()
    advice = f", this version needs {want}; 'wangge db migrate' brings it there" if have != want else ""
    return have == want, f"schema {have}{advice}"


def _extensions(store: Store) -> tuple[bool, str]:
    found = migrate.extensions(store)
    missing = [name for name, (have, _) in found.items() if have is None]
    # After an update of the packages the server has a newer library than the database has functions for it.
    older = [f"{name} {have}, installed is {there}" for name, (have, there) in found.items() if have != there]
    if missing:
        return False, f"missing: {', '.join(missing)}; 'wangge db migrate' installs what the server has"
    if older:
        return False, f"{', '.join(older)}: SELECT postgis_extensions_upgrade(), then 'wangge db migrate'"
    return True, ", ".join(f"{name} {have}" for name, (have, _) in found.items())


def _row_security(store: Store) -> tuple[bool, str]:
    good = migrate.has_row_security(store)
    return good, "" if good else "rows are not held to areas: 'wangge db migrate' puts policies and roles back"


def _leakproof(store: Store) -> tuple[bool, str]:
    good = migrate.is_leakproof(store)
    return good, "" if good else "'wangge db migrate' marks && as leakproof, so that area scope stays fast"


def _worker(store: Store) -> tuple[bool, str]:
    good = jobs.has_worker(store)
    return good, "" if good else "no worker has been heard of: 'wangge worker' starts one"


def _disk() -> Check:
    folder = next(p for p in (settings().data_dir, PROJECT) if p.exists())
    free = shutil.disk_usage(folder).free
    return Check("disk", free >= LEAST_DISK_BYTES, f"{free / 1e9:.1f} GB free")
