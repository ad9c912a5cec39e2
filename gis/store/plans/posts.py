"""Posts beside a stored plan: which change hands, and what the response rings hold before and after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary

import pandas as pd

from gis.city.travel import Travel, travel
from gis.errors import InvalidParams
from gis.plans.posts import Reach, handed_posts, held_shares, reach_of
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.frames import read_frame
from gis.store.plans import ground
from gis.store.plans.desk import Desk, before
from gis.store.plans.ground import Kept, Laid

_travels: Final[Kept[Travel | None]] = Kept(2)
_reaches: Final[WeakKeyDictionary[Laid, Reach | None]] = WeakKeyDictionary()


def posts_moved(laid: Desk, other: Mapping[str, str | None] | None = None) -> pd.DataFrame:
    """Return the posts that the plan gives another grid than today, or than another plan; see `handed_posts`."""
    if laid.places.posts is None:
        return pd.DataFrame(columns=["source_id", "kind", "name_zh", "name_en", "old_grid", "new_grid"], dtype=object)
    return handed_posts(laid.blocks, laid.places.posts, before(laid, other), _after(laid))


def coverage(
    store: Store, city: CityRow, laid: Desk, other: Mapping[str, str | None] | None = None
) -> dict[str, Any] | None:
    """Return which share of the households of each grid that changes lies within the response rings of a post.

    Posts do not move with a plan, and neither does the share of the whole city: what changes is whose task those are
    that nobody reaches in time.

    Returns
    -------
    dict
        ``mode``, ``rings_min``, ``city`` (a share a ring) and ``grids``: ``code``, ``before``, ``after`` (a share a
        ring, None for a grid without households). None where the city has no posts or no streets.
    """
    reach = _reach(store, city, laid)
    if reach is None:
        return None
    was, now = before(laid, other), _after(laid)
    changed = sorted({code for pair in zip(was, now, strict=True) if pair[0] != pair[1] for code in pair if code})
    old, new = (held_shares(reach, laid.blocks, side).reindex([*changed, ""]) for side in (was, now))
    return {
        "mode": reach.mode,
        "rings_min": list(reach.rings_min),
        "city": _plain(new.loc[""]),
        "grids": [{"code": code, "before": _plain(old.loc[code]), "after": _plain(new.loc[code])} for code in changed],
    }


def _after(laid: Desk) -> list[str | None]:
    own = laid.plan.assignment()
    return [own[str(code)] for code in laid.blocks.codes]


def _plain(shares: pd.Series) -> list[float | None]:
    return [None if pd.isna(share) else round(float(share), 6) for share in shares]


def _reach(store: Store, city: CityRow, laid: Desk) -> Reach | None:
    if laid.laid not in _reaches:
        posts, streets = laid.places.posts, _travel(store, city)
        _reaches[laid.laid] = None if posts is None or streets is None else reach_of(laid.blocks, posts, streets)
    return _reaches[laid.laid]


def _travel(store: Store, city: CityRow) -> Travel | None:
    def make() -> Travel | None:
        segments = read_frame(store, city, "segments")
        try:
            return None if segments.empty else travel(segments.to_crs(city.profile.metric_crs))
        except InvalidParams:
            # No street that one may drive on.
            return None

    return _travels.get(ground.now(store, city), make)
