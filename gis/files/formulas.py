"""Text that a spreadsheet would run: guarded on the way out, given back unchanged on the way in.

A text that begins like a formula gets an apostrophe in front; so does one that begins with apostrophes and then like a
formula, so that taking one apostrophe off always restores what was written.
"""

from __future__ import annotations

import re

import pandas as pd

_DANGEROUS = re.compile(r"'*[=+\-@\t\r|%]")
_GUARDED = re.compile(r"'+[=+\-@\t\r|%]")


def guard(values: pd.Series) -> pd.Series:
    """Return texts (n,) that no spreadsheet takes for a formula.

    Examples
    --------
    >>> guard(pd.Series(["=1+1", "plain", None])).tolist()[:2]
    ["'=1+1", 'plain']
    """
    return values.where(~values.str.match(_DANGEROUS).fillna(value=False).astype(bool), "'" + values)


def unguard(values: pd.Series) -> pd.Series:
    """Return texts (n,) as they were before `guard`."""
    return values.where(~values.str.match(_GUARDED).fillna(value=False).astype(bool), values.str.slice(1))
