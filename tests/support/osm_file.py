"""Small OpenStreetMap files, written node by node."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import osmium
from osmium.osm.mutable import Node, Way

ORIGIN = (120.6, 31.3)
STEP = 0.001
"""Degrees between two lines of the drawing paper."""


def osm_file(
    path: Path,
    nodes: Mapping[int, tuple[float, float]],
    ways: Sequence[tuple[int, Sequence[int], Mapping[str, str]]],
    *,
    node_tags: Mapping[int, Mapping[str, str]] | None = None,
) -> Path:
    """Write nodes (places on the drawing paper) and ways (id, nodes, tags); a node that is not given has no place."""
    tags = node_tags or {}
    path.unlink(missing_ok=True)
    with osmium.SimpleWriter(str(path)) as writer:
        for id_, (x, y) in sorted(nodes.items()):
            place = (ORIGIN[0] + x * STEP, ORIGIN[1] + y * STEP)
            writer.add_node(Node(id=id_, location=place, tags=dict(tags.get(id_, {}))))
        for id_, members, of_way in ways:
            writer.add_way(Way(id=id_, nodes=list(members), tags=dict(of_way)))
    return path
