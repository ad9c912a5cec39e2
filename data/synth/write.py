"""Frames to GeoParquet: sorted, rounded, small, and the same bytes of content for the same seed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd

TRUTH_FILE = "truth.json"


def write(folder: Path, frames: Mapping[str, gpd.GeoDataFrame], truth: Mapping[str, Any]) -> int:
    """Write one file a frame and the truth; return the bytes written."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in frames.items():
        frame.to_parquet(
            folder / f"{name}.parquet", index=False, compression="zstd", compression_level=15, write_covering_bbox=False
        )
    text = json.dumps(truth, ensure_ascii=False, indent=2)
    (folder / TRUTH_FILE).write_text(text + "\n", encoding="utf-8")
    return sum((folder / f"{name}.parquet").stat().st_size for name in frames) + len(text.encode())
