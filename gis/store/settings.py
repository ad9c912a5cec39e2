"""Settings of the machine: where the data folder is, which database."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT = Path(__file__).parents[2]


class Settings(BaseSettings):
    """Read once from the environment (``WANGGE_...``)."""

    model_config = SettingsConfigDict(env_prefix="WANGGE_", frozen=True, use_attribute_docstrings=True)

    data_dir: Path = Field(default=PROJECT / ".wangge")
    """Folder of the embedded cluster, uploads and logs."""
    database_url: str | None = None
    """``postgresql://...`` of a PostGIS >= 3.3 to use instead of the embedded one."""
    pool_size: int = Field(default=8, ge=1, le=64)
    """Connections a process keeps at most for tiles, for pages of features, for other reads, for the log of reads, and
    for everything else: so many each."""
    audit_anchor: Path | None = None
    """File in which the end of the audit log is kept hour by hour; ``audit-anchor.jsonl`` in the data folder when not
    given. Best where whoever may write the database may not write."""
    audit_anchor_key: SecretStr = SecretStr("")
    """Secret that the lines of that file are signed with; empty for none."""


@cache
def settings() -> Settings:
    """Return the settings of this process."""
    return Settings()
