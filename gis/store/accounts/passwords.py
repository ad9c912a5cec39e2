"""Passwords: how long they must be, how hard to guess, and how they are kept (argon2id, RFC 9106)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gis.errors import InvalidInput, Problem

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 128
"""Longer ones would only cost time to hash."""

FEWEST_GUESSES: Final = 10**10
"""Of zxcvbn; it calls fewer than these guessable. Each of its 30,000 commonest passwords takes no more than 30,000."""
JUDGED_LENGTH: Final = 72
"""So much of a password is judged, the limit that zxcvbn sets itself: its time grows with the square of the length."""
PRODUCT: Final = "wangge"

_HASHER: Final = PasswordHasher()
"""Its defaults are the second choice of RFC 9106: 64 MiB, 3 passes, 4 lanes."""


def hashed(password: str, *, name: str, words: Iterable[str] = ()) -> str:
    """Return what is kept of a new password.

    Any characters will do, and no mixture of kinds is asked for: what counts is length, and that nobody would guess it.

    Parameters
    ----------
    name
        Of the account.
    words
        Everybody here knows these, such as names of the city: they count for nothing.

    Raises
    ------
    InvalidInput
        It is too short, too long, holds the name of the account or of this program, or is one of the common passwords,
        as it is or made of few of them (``P@ssw0rd1234``).
    """
    plain = _normal(password)
    problems = []
    if not MIN_LENGTH <= len(plain) <= MAX_LENGTH:
        en, zh = f"must have {MIN_LENGTH} to {MAX_LENGTH} characters", f"须有 {MIN_LENGTH} 至 {MAX_LENGTH} 个字符"
        problems.append(Problem("bad_length", en, "password", zh=zh))
    if any(held in plain.casefold() for held in (name.casefold(), PRODUCT)):
        en, zh = f"must not hold the name of the account, nor '{PRODUCT}'", f"不能含有账号名或 {PRODUCT}"
        problems.append(Problem("holds_name", en, "password", zh=zh))
    if len(set(plain)) < MIN_LENGTH // 3:
        problems.append(Problem("monotonous", "repeats the same few characters", "password", zh="只是重复少数几个字符"))
    if not problems and guesses(plain, (name, PRODUCT, *words)) < FEWEST_GUESSES:
        en = "is made of common passwords, names, years or neighbouring keys: take several words that have no link"
        zh = "由常用密码、名称、年份或相邻按键拼成：请用几个互不相关的词"
        problems.append(Problem("common", en, "password", zh=zh))
    if problems:
        raise InvalidInput("the password cannot be taken", problems, zh="密码不符合要求")
    return _HASHER.hash(plain)


def hashed_again(password: str) -> str:
    """Return what is kept of a password that was taken once, whatever is asked of new ones by now."""
    return _HASHER.hash(_normal(password))


def guesses(password: str, words: Iterable[str] = ()) -> float:
    """Return about how many guesses a password takes: Wheeler, zxcvbn, USENIX Security 2016.

    Parameters
    ----------
    words
        What counts for nothing, wherever it stands and however often.

    Examples
    --------
    >>> guesses("password1234") < 1e5 < guesses("gusu.20261125.Gusu", ["gusu"]) < 1e10
    True
    >>> guesses("correct horse battery") > 1e10
    True
    """
    from zxcvbn import zxcvbn

    known = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True) if word)
    left = re.sub(known, "", password, flags=re.IGNORECASE) if known else password
    return float(zxcvbn(left[:JUDGED_LENGTH])["guesses"]) if left else 1.0


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
