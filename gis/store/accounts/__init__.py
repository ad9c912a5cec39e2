"""Who may come in: accounts with their grants, logins of browsers, tokens of programs.

An account is a post in the house (``night-desk``), not a person; nothing is kept of it but its name, its proofs and
its grants.
"""

from gis.store.accounts.areas import Area, areas_of, covered, may_still, seen
from gis.store.accounts.book import (
    Account,
    Grant,
    authenticate,
    create,
    create_first_admin,
    disable,
    enable,
    exists,
    get,
    grant,
    has_any,
    list_,
    revoke,
    set_password,
    signed_in_elsewhere,
)
from gis.store.accounts.codes import issue_code, redeem
from gis.store.accounts.logins import Actor, LiveLogin, Login, begin, end, end_all, end_some, find, live, take_role
from gis.store.accounts.passwords import MAX_LENGTH, MIN_LENGTH
from gis.store.accounts.tokens import Token, find_token, issue, revoke_token, tokens

__all__ = [
    "MAX_LENGTH",
    "MIN_LENGTH",
    "Account",
    "Actor",
    "Area",
    "Grant",
    "LiveLogin",
    "Login",
    "Token",
    "areas_of",
    "authenticate",
    "begin",
    "covered",
    "create",
    "create_first_admin",
    "disable",
    "enable",
    "end",
    "end_all",
    "end_some",
    "exists",
    "find",
    "find_token",
    "get",
    "grant",
    "has_any",
    "issue",
    "issue_code",
    "list_",
    "live",
    "may_still",
    "redeem",
    "revoke",
    "revoke_token",
    "seen",
    "set_password",
    "signed_in_elsewhere",
    "take_role",
    "tokens",
]
