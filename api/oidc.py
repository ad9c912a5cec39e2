"""Signing in through another house: OpenID Connect, authorization code with PKCE, state and nonce.

The provider is named in the settings, by whoever runs the server; no address of a user's is ever opened.
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from api.logs import log
from api.settings import RoleOfAreas, ServerSettings
from gis.contract.roles import GRANTABLE, Role
from gis.errors import Forbidden, StoreUnavailable

STATE_COOKIE: Final = "__Host-wangge-oidc"
"""Binds the answer of the provider to the browser that was sent there."""
PATIENCE_S: Final = 600.0
"""How long somebody may take to sign in over there."""
MOST_WAITING: Final = 1_000
TIMEOUT_S: Final = 10.0
FRESH_S: Final = 3600.0
LEEWAY_S: Final = 60
ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")
"""Signatures of a key pair; none that the client's own secret could make."""
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody the provider vouches for."""

    issuer: str
    subject: str
    name: str
    roles: Mapping[Role, tuple[str, ...] | None]


@dataclass(frozen=True, slots=True)
class _Waiting:
    nonce: str
    verifier: str
    following: str
    until: float


class Provider:
    """The provider of the settings."""

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        self.issuer = settings.oidc_issuer.rstrip("/")
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()
        self._metadata: Mapping[str, Any] = {}
        self._keys: KeySet | None = None
        self._until = 0.0

    @property
    def is_there(self) -> bool:
        """Whether the settings name a provider."""
        return bool(self.issuer)

    async def send(self, redirect_uri: str, following: str) -> tuple[str, str]:
        """Return where to send a browser, and the state to keep in its cookie.

        Parameters
        ----------
        following
            Path of this server where the browser goes in the end.
        """
        metadata, _ = await self._learnt()
        waiting = _Waiting(
            secrets.token_urlsafe(32), secrets.token_urlsafe(48), following, time.monotonic() + PATIENCE_S
        )
        async with self._client(redirect_uri) as client:
            address, state = client.create_authorization_url(
                metadata["authorization_endpoint"], code_verifier=waiting.verifier, nonce=waiting.nonce
            )
        self._waiting[state] = waiting
        while len(self._waiting) > MOST_WAITING:
            self._waiting.popitem(last=False)
        return str(address), str(state)

    async def receive(self, redirect_uri: str, answer: str, *, state: str, cookie: str) -> tuple[Known, str]:
        """Return whom the provider vouches for, and where their browser goes.

        Parameters
        ----------
        answer
            The whole address that the provider sent the browser back to.
        state, cookie
            Of that address, and what the browser was given before.

        Raises
        ------
        Forbidden
            The answer is not one to a question of this browser, or proves nothing.
        """
        waiting = self._waiting.pop(state, None)
        if waiting is None or waiting.until < time.monotonic() or not secrets.compare_digest(state, cookie):
            raise Forbidden("this sign-in was not begun here, or took too long: begin again")
        from authlib.integrations.base_client import OAuthError

        metadata, keys = await self._learnt()
        try:
            async with self._client(redirect_uri) as client:
                token = await client.fetch_token(
                    metadata["token_endpoint"],
                    authorization_response=answer,
                    state=state,
                    code_verifier=waiting.verifier,
                )
            claims = self._proven(token.get("id_token", ""), keys, waiting.nonce)
        except (OAuthError, JoseError, ValueError, KeyError) as error:
            log().warning("oidc_refused", why=type(error).__name__)
            raise Forbidden("the sign-in over there was not completed") from None
        except httpx.HTTPError as error:
            raise StoreUnavailable("the sign-in provider cannot be reached") from error
        return self._known(claims), waiting.following

    def _client(self, redirect_uri: str) -> Any:
        # Only a server that has a provider pays for it.
        from authlib.integrations.httpx_client import AsyncOAuth2Client

        return AsyncOAuth2Client(
            self._settings.oidc_client_id,
            self._settings.oidc_client_secret.get_secret_value() or None,
            scope=self._settings.oidc_scope,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            timeout=TIMEOUT_S,
        )

    def _proven(self, text: str, keys: KeySet, nonce: str) -> Mapping[str, Any]:
        """Return the claims of an ID token that is the provider's, for this client and for this very question."""
        proof = jwt.decode(text, keys, algorithms=list(ALGORITHMS))
        wanted = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._metadata["issuer"]},
            aud={"essential": True, "value": self._settings.oidc_client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
            azp={"value": self._settings.oidc_client_id},
        )
        wanted.validate(proof.claims)
        return proof.claims

    def _known(self, claims: Mapping[str, Any]) -> Known:
        groups = claims.get(self._settings.oidc_groups_claim, ())
        mine = {groups} if isinstance(groups, str) else {str(group) for group in groups}
        stands_for = [said for group, said in self._settings.oidc_roles.items() if group in mine]
        name = str(claims.get(self._settings.oidc_name_claim) or claims["sub"])
        return Known(str(claims["iss"]), str(claims["sub"]), name, _together(stands_for))

    async def _learnt(self) -> tuple[Mapping[str, Any], KeySet]:
        """Return what the provider says of itself, and its keys; asked at most once an hour."""
        if self._keys is None or time.monotonic() > self._until:
            try:
                async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
                    metadata = await _json(client, f"{self.issuer}/.well-known/openid-configuration")
                    _check_metadata(metadata, self.issuer)
                    self._keys = KeySet.import_key_set(await _json(client, metadata["jwks_uri"]))
            except (httpx.HTTPError, JoseError, ValueError, KeyError) as error:
                log().warning("oidc_unknown", why=f"{type(error).__name__}: {error}")
                raise StoreUnavailable("the sign-in provider cannot be reached") from error
            self._metadata, self._until = metadata, time.monotonic() + FRESH_S
        return self._metadata, self._keys


def _together(said: Iterable[Role | RoleOfAreas]) -> dict[Role, tuple[str, ...] | None]:
    """Return what several groups stand for: areas of one role add up, and the whole city holds them all.

    Examples
    --------
    >>> _together([RoleOfAreas(role="officer", areas=("street:1",)), "analyst", RoleOfAreas(role="officer")])
    {'officer': None, 'analyst': None}
    """
    roles: dict[Role, tuple[str, ...] | None] = {}
    for entry in said:
        role, areas = (entry.role, entry.areas) if isinstance(entry, RoleOfAreas) else (entry, None)
        have = roles.get(role, ())
        roles[role] = None if have is None or areas is None else tuple(dict.fromkeys((*have, *areas)))
    return {role: roles[role] for role in GRANTABLE if role in roles}


async def _json(client: httpx.AsyncClient, address: str) -> Any:
    _check_address(address)
    answer = await client.get(address)
    answer.raise_for_status()
    return answer.json()


def _check_metadata(metadata: Mapping[str, Any], issuer: str) -> None:
    """Refuse what another issuer says, or addresses that others on the way could read."""
    if str(metadata.get("issuer", "")).rstrip("/") != issuer:
        raise ValueError("another issuer answers")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        _check_address(str(metadata[name]))


def _check_address(address: str) -> None:
    """Refuse an address that others on the way could read."""
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ValueError("the provider must be reached by https")
