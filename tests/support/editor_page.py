"""The planner's workspace as the tests see it: one plan on the page, and what the server has of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import shapely
from playwright.sync_api import expect

from tests.support.map_page import MapPage
from tests.support.served import get_json, send_json

NEAR_ZOOM = 16.5
PATIENCE_MS = 60_000


def send(server: str, method: str, path: str, body: object, *, desk: str = "planner") -> Any:
    """Return the answer to a request of another desk, or of another page."""
    return send_json(method, f"{server}{path}", body, role=desk)


@dataclass(frozen=True)
class Border:
    """A block that could go to the grid next door, and both grids would still keep the rules."""

    block: str
    lon: float
    lat: float
    households: int
    home: str
    target: str


class Blocks:
    """The blocks of a board: who lies beside whom, and which grids hang together."""

    def __init__(self, board: dict[str, Any]) -> None:
        self.blocks, self.grids = board["blocks"], board["grids"]
        self.beside: defaultdict[int, set[int]] = defaultdict(set)
        self.members: defaultdict[int, set[int]] = defaultdict(set)
        pairs = board["neighbours"]
        for a, b, barrier in zip(pairs["a"], pairs["b"], pairs["barrier"], strict=True):
            if not barrier:
                self.beside[a].add(b)
                self.beside[b].add(a)
        for block, grid in enumerate(self.blocks["grid"]):
            self.members[grid].add(block)

    def is_whole(self, these: set[int]) -> bool:
        """Return whether some blocks hang together; none do not."""
        seen: set[int] = set()
        front = [min(these)] if these else []
        while front:
            block = front.pop()
            if block not in seen:
                seen.add(block)
                front.extend(self.beside[block] & these)
        return bool(these) and seen == these

    def can_take(self, target: int, block: int) -> bool:
        """Return whether a grid may have a block of another grid."""
        blocks, grids = self.blocks, self.grids
        own = blocks["community"][min(self.members[target])]
        kinds = {grids[target]["kind"], grids[blocks["grid"][block]]["kind"]}
        is_other = target != blocks["grid"][block] and own == blocks["community"][block]
        return is_other and kinds == {"comprehensive"} and self.is_whole(self.members[target])


def borders(board: dict[str, Any]) -> Iterator[Border]:
    """Yield blocks that could go to the grid next door, by block."""
    all_ = Blocks(board)
    blocks, grids = all_.blocks, all_.grids
    for block, home in enumerate(blocks["grid"]):
        if not blocks["households"][block] or not all_.is_whole(all_.members[home] - {block}):
            continue
        targets = sorted({blocks["grid"][other] for other in all_.beside[block]})
        target = next((grid for grid in targets if all_.can_take(grid, block)), None)
        if target is not None:
            place = (blocks[name][block] for name in ("code", "lon", "lat", "households"))
            yield Border(*place, grids[home]["code"], grids[target]["code"])


class Editor:
    """The workspace of one plan, and what the server has of it."""

    def __init__(self, watched: MapPage, plan: int) -> None:
        self.watched, self.page, self.server, self.plan = watched, watched.page, watched.server, plan
        self.status = self.page.locator(".status-line")
        self.saved = self.page.locator(".saved")

    def is_saved(self) -> None:
        """Wait until the server has everything and the page shows what the server has."""
        expect(self.saved).to_have_attribute("data-saved", "saved", timeout=PATIENCE_MS)

    def is_in(self, state: str) -> None:
        """Wait until the plan has come to a state."""
        expect(self.page.locator(".plan-bar .state-chip")).to_have_attribute("data-state", state, timeout=PATIENCE_MS)

    @property
    def assignment(self) -> dict[str, str | None]:
        """The plan as the server has it."""
        return get_json(f"{self.server}/plans/{self.plan}/assignment")["assignment"]

    @property
    def board(self) -> dict[str, Any]:
        """All of the plan as the server has it."""
        return get_json(f"{self.server}/plans/{self.plan}/board")

    def at(self, border: Border, **choices: str) -> str:
        """Return the address that shows a block and aims at the grid next door."""
        named = {"grid": border.target, "theme": "light", "lang": "zh", **choices}
        parts = [f"map={NEAR_ZOOM}/{border.lat}/{border.lon}", *(f"{name}={value}" for name, value in named.items())]
        return f"#{'&'.join(parts)}"

    def go(self, border: Border, **choices: str) -> None:
        """Show a block and take a tool in hand, as a link to it would."""
        self.page.evaluate("(hash) => { location.hash = hash }", self.at(border, **choices))
        self.watched.settle()

    def click(self, border: Border) -> None:
        """Click a block on the map."""
        self.page.mouse.click(*self.watched.screen_point(border.lon, border.lat))

    def show(self, tab: str) -> None:
        """Bring a panel to the front."""
        self.page.locator(f"#tab-{tab}").click()

    def pixels(self, lon: float, lat: float) -> bytes:
        """Return a picture of what is drawn about a place, whatever map it is on."""
        x, y = self.watched.screen_point(lon, lat)
        return self.page.screenshot(clip={"x": x - 3, "y": y - 3, "width": 6, "height": 6})


OpenEditor = Callable[..., Editor]


@dataclass(frozen=True)
class Corner:
    """A place where blocks of one community meet, nothing else being there."""

    lon: float
    lat: float
    blocks: tuple[str, ...]
    room: float
    """How far it can be moved any way, in degrees."""


def corners(server: str, board: dict[str, Any]) -> Iterator[Corner]:
    """Yield corners that a plan may move, by block."""
    blocks = board["blocks"]
    items = get_json(f"{server}/collections/blocks/items?limit=10000")["features"]
    shapes = {item["id"]: shapely.geometry.shape(item["geometry"]) for item in items}
    meeting: defaultdict[tuple[float, float], set[int]] = defaultdict(set)
    for at, id_ in enumerate(blocks["id"]):
        for lon, lat in shapely.get_coordinates(shapes[id_]):
            meeting[(lon, lat)].add(at)
    for (lon, lat), found in meeting.items():
        if len(found) < 3 or len({blocks["community"][at] for at in found}) > 1:
            continue
        areas = [shapes[blocks["id"][at]] for at in found]
        around = shapely.Point(lon, lat).buffer(1e-5)
        if not shapely.union_all(areas).buffer(1e-8).contains(around):
            continue
        others = [place for area in areas for place in shapely.get_coordinates(area) if tuple(place) != (lon, lat)]
        room = min(((x - lon) ** 2 + (y - lat) ** 2) ** 0.5 for x, y in others)
        if room > 4e-4:
            yield Corner(lon, lat, tuple(blocks["code"][at] for at in sorted(found)), room)
