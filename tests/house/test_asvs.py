"""The account of security is whole and current: every item has its line, every claim its test."""

from collections import Counter

from tests.house.test_docs import ROOT, load

asvs = load(ROOT / "docs/asvs.py")


def test_the_page_is_current() -> None:
    assert asvs.PAGE.read_text(encoding="utf-8") == asvs.page(), "run: python docs/asvs.py"


def test_every_item_of_levels_1_and_2_has_a_line() -> None:
    """The standard has 70 items of level 1 and 183 of level 2."""
    levels = Counter(level for level, *_ in asvs.items().values())
    assert (levels[1], levels[2]) == (70, 183)
    assert {state for _, _, state, _ in asvs.items().values()} <= set(asvs.STATES)
    assert all(title and done for _, title, _, done in asvs.items().values())


def test_every_marker_names_an_item_and_what_is_held_is_held_by_a_test() -> None:
    marked = {number for number, _, _ in asvs.markers()}
    assert marked <= set(asvs.items())
    held = {number for number, (_, _, state, _) in asvs.items().items() if state == "held"}
    assert held - marked == set(), "held by no test"
    assert marked - held == set(), "held, but the list says otherwise"
