"""How much a file may ask for before it is refused."""

from __future__ import annotations

from dataclasses import asdict, dataclass

MEGABYTE = 1024**2


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps on one file; the reading process is killed beyond them.

    Attributes
    ----------
    file_bytes, unpacked_bytes
        Of the file itself, and of everything a zip holds once unpacked.
    ratio
        How many times its packed size one member of a zip may grow.
    json_depth
        How deep objects and arrays may lie in one another; GeoJSON of a multipolygon needs eight.
    vertices
        Of one geometry.
    memory_bytes, processor_s, silence_s
        Address space, processor time, and time without a row, of the reading process.
    """

    file_bytes: int = 200 * MEGABYTE
    unpacked_bytes: int = 200 * MEGABYTE
    ratio: int = 200
    members: int = 256
    json_depth: int = 12
    columns: int = 256
    rows: int = 10_000_000
    cell_characters: int = 100_000
    vertices: int = 20_000
    memory_bytes: int = 4096 * MEGABYTE
    processor_s: int = 300
    silence_s: float = 120.0

    def as_dict(self) -> dict[str, float]:
        """Return plain values, for the reading process."""
        return asdict(self)
