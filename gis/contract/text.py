"""Words a person reads, in Chinese and English."""

from __future__ import annotations

from typing import Literal, NamedTuple

Language = Literal["zh", "en"]


class Text(NamedTuple):
    """One phrase in both languages."""

    zh: str
    en: str

    def in_(self, language: Language) -> str:
        """Return the phrase in `language`."""
        return self.zh if language == "zh" else self.en
