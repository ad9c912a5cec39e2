"""A short name for the exact content of a frame."""

from __future__ import annotations

import hashlib

import geopandas as gpd
import numpy as np
import pandas as pd


def digest(frame: pd.DataFrame) -> str:
    """Return the SHA-256 (hex) of a frame's rows; the order of rows and columns does not matter.

    Two frames with the same columns, values, geometry and CRS have the same digest.

    Examples
    --------
    >>> a = pd.DataFrame({"x": [1, 2], "y": ["a", "b"]})
    >>> digest(a) == digest(a.iloc[::-1][["y", "x"]])
    True
    """
    plain = pd.DataFrame(index=frame.index)
    for name in sorted(map(str, frame.columns)):
        values = frame[name]
        plain[name] = values.to_wkb() if isinstance(values, gpd.GeoSeries) else values
    total = hashlib.sha256(repr(list(plain.columns)).encode())
    if isinstance(frame, gpd.GeoDataFrame) and frame.active_geometry_name is not None and frame.crs is not None:
        total.update((frame.crs.to_authority() or (frame.crs.to_wkt(),))[-1].encode())
    hashes = np.sort(pd.util.hash_pandas_object(plain, index=False).to_numpy())
    total.update(hashes.tobytes())
    return total.hexdigest()
