"""Settings of the server: whom it answers, how much it takes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from gis.contract.roles import Role
from gis.store.settings import PROJECT

DEMO = PROJECT / "data" / "samples" / "demo"


class RoleOfAreas(BaseModel):
    """What a group of a sign-in provider stands for: a role in some areas of the city in use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role
    areas: tuple[str, ...] | None = Field(default=None, min_length=1)


class ServerSettings(BaseSettings):
    """Read once from the environment (``WANGGE_...``)."""

    model_config = SettingsConfigDict(env_prefix="WANGGE_", frozen=True, use_attribute_docstrings=True)

    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "::1")
    """Host names the server answers to, as a JSON list. Anything else is refused, so that a page of another site
    cannot reach a server on loopback by a name of its own."""
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    """Addresses or networks of the proxies before the server, as a JSON list. What one of these says in
    ``X-Forwarded-For`` and ``X-Forwarded-Proto`` is believed, so that clients are counted apart and addresses begin
    with ``https``; what anybody else says is not. Name the proxies alone, never a network that clients are in."""
    max_body_bytes: int = Field(default=1_000_000, ge=1_000)
    """Largest JSON body."""
    max_upload_bytes: int = Field(default=200_000_000, ge=1_000)
    """Largest file of an import."""
    max_request_s: float = Field(default=30.0, gt=0)
    """Longest time until an answer begins; then it is 503. Tiles have a shorter limit of their own."""
    max_file_s: float = Field(default=900.0, gt=0)
    """The same for files that come in or go out."""
    requests_per_s: float = Field(default=200.0, gt=0)
    """Requests a second that one client may make for long."""
    requests_burst: int = Field(default=2_000, ge=1)
    """Requests that one client may make at once; a page with its tiles takes some dozens."""
    reports_per_hour: float = Field(default=20.0, gt=0)
    """Reports of the public that one address may send an hour for long. A proxy that is not
    among the trusted ones is one address."""
    reports_burst: int = Field(default=10, ge=1)
    """Reports that one address may send at once."""
    demo_dir: Path = DEMO
    """Folder of the demo city: ``city.toml`` and a GeoParquet file a frame."""
    tile_cache_bytes: int = Field(default=256_000_000, ge=0)
    """Memory for finished tiles."""
    oidc_issuer: str = ""
    """Address of an OpenID provider, such as ``https://id.example.org/realms/house``; empty for none."""
    oidc_client_id: str = ""
    """What this server is called there; its redirect address is ``/auth/oidc/callback``."""
    oidc_client_secret: SecretStr = SecretStr("")
    """Empty for a public client; PKCE is used either way."""
    oidc_scope: str = "openid profile"
    """What is asked for; some providers want ``groups`` besides."""
    oidc_title: str = "OpenID Connect"
    """What the sign-in page calls it."""
    oidc_groups_claim: str = "groups"
    """Claim of the ID token that lists groups."""
    oidc_name_claim: str = "preferred_username"
    """Claim that names the account; choose one that names a post, not a person, where there is one."""
    oidc_roles: Mapping[str, Role | RoleOfAreas] = {}
    """Group there -> role here, as a JSON object; a role of some areas is an object with ``role`` and ``areas``. Who is
    in none of the groups may sign in and sees what the public sees."""
    demo_accounts: bool = False
    """Let anybody on this machine take a demo account by a click; ``wangge demo`` sets it, and nothing else should."""


@cache
def server_settings() -> ServerSettings:
    """Return the settings of this process."""
    return ServerSettings()
