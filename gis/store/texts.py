"""Texts as PostgreSQL can hold them."""


def storable(text: str) -> bool:
    r"""Return whether PostgreSQL can hold the text: no null character, no half of a surrogate pair.

    Examples
    --------
    >>> storable("网格"), storable("a\x00b")
    (True, False)
    """
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
