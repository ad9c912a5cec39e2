"""How much a file may ask for before it is refused."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

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


_DEFAULTS = Limits()


class ReadingSettings(BaseSettings):
    """Read once from the environment (``WANGGE_READ_...``)."""

    model_config = SettingsConfigDict(env_prefix="WANGGE_READ_", frozen=True, use_attribute_docstrings=True)

    file_bytes: int = Field(default=_DEFAULTS.file_bytes, ge=1)
    """Largest file that is read, whichever way it comes."""
    unpacked_bytes: int = Field(default=_DEFAULTS.unpacked_bytes, ge=1)
    """What a zip may hold once unpacked."""
    ratio: int = Field(default=_DEFAULTS.ratio, ge=1)
    """How many times its packed size one member of a zip may grow."""
    members: int = Field(default=_DEFAULTS.members, ge=1)
    """Files in a zip."""
    json_depth: int = Field(default=_DEFAULTS.json_depth, ge=8)
    """How deep brackets may lie in one another; a collection of multipolygons needs eight."""
    columns: int = Field(default=_DEFAULTS.columns, ge=1)
    """Columns of a table, properties of features."""
    rows: int = Field(default=_DEFAULTS.rows, ge=1)
    """Rows of a file."""
    vertices: int = Field(default=_DEFAULTS.vertices, ge=4)
    """Of one geometry; grids and blocks have at most 2,000 whatever is said here."""
    memory_bytes: int = Field(default=_DEFAULTS.memory_bytes, ge=256 * MEGABYTE)
    """Address space of the process that reads a file (RLIMIT_AS)."""
    processor_s: int = Field(default=_DEFAULTS.processor_s, ge=1)
    """Processor time of that process (RLIMIT_CPU)."""
    silence_s: float = Field(default=_DEFAULTS.silence_s, gt=0)
    """How long that process may take for the next rows before it is killed."""


@cache
def reading_limits() -> Limits:
    """Return the limits of this process."""
    return Limits(**ReadingSettings().model_dump())
