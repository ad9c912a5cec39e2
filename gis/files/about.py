"""What a file says about itself."""

from __future__ import annotations

from dataclasses import dataclass

SYNTHETIC = "synthetic"
MASKED = "masked"
NOTICE = "SYNTHETIC DATA, invented for demonstration: no real place, event or household"


@dataclass(frozen=True, slots=True)
class About:
    """What the file says about itself, where its format has room for it.

    Attributes
    ----------
    layer
        Name of the layer or sheet.
    synthetic
        The data are invented; a format without metadata gets it into the file's name.
    masking
        How places were moved before they were written; empty where they stand where they are.
    """

    layer: str
    title: str
    attribution: str = ""
    synthetic: bool = False
    masking: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return the non-empty facts as text."""
        facts = {
            "title": self.title,
            "attribution": self.attribution,
            "notice": NOTICE if self.synthetic else "",
            "masking": self.masking,
        }
        return {name: text for name, text in facts.items() if text}
