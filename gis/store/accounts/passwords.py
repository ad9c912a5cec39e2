"""Passwords: how long they must be, and how they are kept (argon2id, RFC 9106)."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gis.errors import InvalidInput, Problem

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 128
"""Longer ones would only cost time to hash."""

_HASHER: Final = PasswordHasher()
"""Its defaults are the second choice of RFC 9106: 64 MiB, 3 passes, 4 lanes."""


def hashed(password: str, *, name: str) -> str:
    """Return what is kept of a password.

    Any characters will do, and no mixture of kinds is asked for: length is what counts.

    Raises
    ------
    InvalidInput
        It is too short, too long, or holds the name of the account.
    """
    plain = _normal(password)
    problems = []
    if not MIN_LENGTH <= len(plain) <= MAX_LENGTH:
        problems.append(Problem("bad_length", f"must have {MIN_LENGTH} to {MAX_LENGTH} characters", "password"))
    if name.casefold() in plain.casefold():
        problems.append(Problem("holds_name", "must not hold the name of the account", "password"))
    if len(set(plain)) < MIN_LENGTH // 3:
        problems.append(Problem("monotonous", "repeats the same few characters", "password"))
    if problems:
        raise InvalidInput("the password cannot be taken", problems)
    return _HASHER.hash(plain)


def matches(kept: str | None, password: str) -> bool:
    """Return whether a password is the one that was kept.

    Takes as long where nothing was kept, so that the time does not tell whether there is such an account.
    """
    try:
        is_it = _HASHER.verify(kept or _nobodys(), _normal(password[: 4 * MAX_LENGTH]))
    except (VerificationError, InvalidHashError):
        return False
    return is_it and kept is not None


def is_outdated(kept: str) -> bool:
    """Return whether a hash was made with weaker settings than today's."""
    return _HASHER.check_needs_rehash(kept)


@cache
def _nobodys() -> str:
    return _HASHER.hash("nobody has this password")


def _normal(password: str) -> str:
    """Return a password as one keyboard writes it and another one too."""
    return unicodedata.normalize("NFKC", password)
