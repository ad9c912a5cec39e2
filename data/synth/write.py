"""Frames to GeoParquet: small, marked as synthetic in the file itself, and the same content for the same seed."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyarrow.parquet as pq

TRUTH_FILE = "truth.json"
MARK = {"synthetic": True, "title": "姑苏示范区（合成数据） Gusu demo (synthetic)", "about": "data/README.md"}


def write(folder: Path, frames: Mapping[str, gpd.GeoDataFrame], truth: Mapping[str, Any]) -> int:
    """Write one file a frame and the truth; return the bytes written."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in frames.items():
        _write_frame(frame, folder / f"{name}.parquet")
    text = json.dumps(truth, ensure_ascii=False, indent=2)
    (folder / TRUTH_FILE).write_text(text + "\n", encoding="utf-8")
    return sum((folder / f"{name}.parquet").stat().st_size for name in frames) + len(text.encode())


def _write_frame(frame: gpd.GeoDataFrame, path: Path) -> None:
    plain = io.BytesIO()
    frame.to_parquet(plain, index=False)
    table = pq.read_table(plain)
    # A file that leaves this folder still says what it is.
    mark = {b"wangge": json.dumps(MARK, ensure_ascii=False).encode()}
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), **mark})
    pq.write_table(table, path, compression="zstd", compression_level=15)
