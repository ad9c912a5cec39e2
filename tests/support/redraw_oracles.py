"""Published small divisions: 25 precincts of Florida, and the 8 by 8 squares of Gerrymandria."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from gis.kernels.block_graph import BlockGraph, block_graph

FOLDER = "oracles/redraw"


def florida(shared_data: Path) -> tuple[BlockGraph, np.ndarray]:
    """Return the 25 precincts with borders of length one, and their population."""
    told = json.loads((shared_data / FOLDER / "fl25.json").read_text())
    ends = np.array([(u, v) for u, near in enumerate(told["adjacency"]) for v in near if u < v])
    return block_graph(ends, np.ones(len(ends)), np.zeros(25), np.ones(25)), np.array(told["pop"])


def florida_plans(shared_data: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return all 117,688 divisions into three (25, m), and the largest deviation of each (m,)."""
    told = np.load(shared_data / FOLDER / "fl25_enum.npz")
    return told["plans"].astype(np.int64), told["pop_dev"]


def gerrymandria(shared_data: Path, file: str) -> tuple[BlockGraph, dict[str, np.ndarray]]:
    """Return the 64 squares, and each of their columns as numbers from 0."""
    told = json.loads((shared_data / FOLDER / file).read_text())
    ends = np.array([(u, near["id"]) for u, row in enumerate(told["adjacency"]) for near in row if u < near["id"]])
    names = [name for name in told["nodes"][0] if name not in {"id", "x", "y"}]
    columns = {name: np.unique([str(n[name]) for n in told["nodes"]], return_inverse=True)[1] for name in names}
    outer = np.full(64, 4.0) - np.bincount(ends.ravel(), minlength=64)
    return block_graph(ends, np.ones(len(ends)), outer, np.ones(64)), columns
