"""Published location problems in ../shared/data/oracles/coverage, and every siting tried one by one."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import shortest_path


def expected(shared_data: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((shared_data / "oracles/expected.json").read_text(encoding="utf-8"))["coverage"]
    return values


def pmed(shared_data: Path, number: int) -> tuple[np.ndarray, int]:
    """Return the distances (n, n) between all nodes and p; of duplicate edges the last one read wins."""
    text = (shared_data / f"oracles/coverage/orlib_pmed/pmed{number}.txt").read_text(encoding="utf-8")
    values = np.array(text.split(), int)
    n, edges, p = values[:3]
    lengths = np.zeros((n, n))
    for a, b, length in values[3 : 3 + 3 * edges].reshape(-1, 3):
        lengths[a - 1, b - 1] = lengths[b - 1, a - 1] = length
    return shortest_path(lengths, directed=False), int(p)


def sjc(shared_data: Path, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the distances (n, n) and the demand (n,)."""
    rows = np.loadtxt(shared_data / f"oracles/coverage/mclp/SJC{number}.txt", skiprows=1)
    return np.hypot(*(rows[:, None, :2] - rows[None, :, :2]).transpose(2, 0, 1)), rows[:, 2]


def san_francisco(shared_data: Path) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return metres (16, 205) from stores to tracts, residents (205,) and the names of the stores."""
    rows = pd.read_csv(
        shared_data / "oracles/coverage/spopt_sf/SF_network_distance_candidateStore_16_censusTract_205_new.csv",
        dtype={"DestinationName": str},
    )
    metres = rows.pivot_table(index="name", columns="DestinationName", values="distance")
    demand = rows.drop_duplicates("DestinationName").set_index("DestinationName")["demand"].reindex(metres.columns)
    return metres.to_numpy(), demand.to_numpy(float), list(metres.index)


def every_choice(m: int, p: int, must: np.ndarray | None = None) -> list[list[int]]:
    """Return every set of at most p of m sites that has all of `must` in it."""
    held = set() if must is None else set(np.flatnonzero(must).tolist())
    sets = (list(s) for size in range(1, p + 1) for s in itertools.combinations(range(m), size))
    return [s for s in sets if held <= set(s)]
