"""The seventeen classes, one history a line: H hot, C cold, . neither; + rising, - falling, = neither."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import InvalidInput
from gis.kernels.emerging import CLASSES, emerging_classes

HISTORIES = [
    ("...................H", "=", "hot_new"),
    ("C......CC..........H", "=", "hot_new"),
    ("..................HH", "=", "hot_consecutive"),
    ("..C...........HHHHHH", "+", "hot_consecutive"),
    ("...HHHHHHHHHHHHHHHHH", "+", "hot_consecutive"),
    ("..HHHHHHHHHHHHHHHHHH", "+", "hot_intensifying"),
    ("HHHHHHHHHHHHHHHHHHHH", "+", "hot_intensifying"),
    ("HHHH.HHHHHHHHHH.HHHH", "+", "hot_intensifying"),
    ("HHHH.HHHHHHHHHHCHHHH", "=", "hot_persistent"),
    ("HHHHHHHHHHHHHHHHHHHH", "=", "hot_persistent"),
    ("HHHHHHHHHHHHHHHHHHHH", "-", "hot_diminishing"),
    (".H.................H", "=", "hot_sporadic"),
    ("HHHHHHHHHHHHHHH..H.H", "+", "hot_sporadic"),
    ("HHHHHHHHHHHHHHHHH..H", "-", "hot_diminishing"),
    (".H...C.............H", "=", "hot_oscillating"),
    ("CH................HH", "+", "hot_oscillating"),
    ("HHHHHHHHHHHHHHHHHHH.", "=", "hot_historical"),
    ("HHHHHHHHHHHHHHHHHHH.", "-", "hot_historical"),
    ("HHHHHHHHHHHHHHHHHHC.", "+", "hot_historical"),
    ("HHHHHHHHHHHHHHHHH...", "-", "no_pattern"),
    ("HH..................", "=", "no_pattern"),
    ("....................", "+", "no_pattern"),
    ("HHHHHHHHHH..........", "-", "no_pattern"),
]


def judged(history: str, trend: str) -> str:
    steps = np.array([list(history)])
    return emerging_classes(steps == "H", steps == "C", np.array(["-=+".index(trend) - 1]))[0]


@pytest.mark.parametrize(("history", "trend", "name"), HISTORIES)
def test_a_history_and_its_mirror_in_the_cold(history: str, trend: str, name: str) -> None:
    assert judged(history, trend) == name
    cold = history.translate(str.maketrans("HC", "CH"))
    mirrored = name.replace("hot", "cold")
    # What grows colder falls.
    assert judged(cold, {"+": "-", "-": "+", "=": "="}[trend]) == mirrored


def test_cold_now_outweighs_hot_nearly_always() -> None:
    assert judged("HHHHHHHHHHHHHHHHHHHC", "-") == "cold_new"


def test_there_are_seventeen() -> None:
    assert len(CLASSES) == len(set(CLASSES)) == 17
    assert {name for *_, name in HISTORIES} >= {name for name in CLASSES if name.startswith("hot_")}


def test_nine_of_ten_is_nine_of_ten() -> None:
    for steps in range(10, 121):
        enough = -(-9 * steps // 10)
        for count, throughout in ((enough, True), (enough - 1, False)):
            history = "." * (steps - count) + "H" * count
            assert judged(history, "=") == ("hot_persistent" if throughout else "hot_consecutive")


@given(history=st.text("HC.", min_size=1, max_size=24), trend=st.sampled_from("+-="))
def test_every_history_has_one_class_and_the_last_step_its_family(history: str, trend: str) -> None:
    name = judged(history, trend)
    assert name in CLASSES
    family, hot, cold = name.split("_")[0], history.count("H"), history.count("C")
    if history[-1] == "H":
        assert family == "hot"
    elif history[-1] == "C":
        assert family == "cold"
    else:
        assert name in ("no_pattern", "hot_historical", "cold_historical")
        assert (name == "hot_historical") == (10 * hot >= 9 * len(history))
        assert (name == "cold_historical") == (10 * cold >= 9 * len(history))


def test_what_contradicts_itself_is_refused() -> None:
    flags = np.ones((2, 3), dtype=bool)
    with pytest.raises(InvalidInput, match="hot and cold at"):
        emerging_classes(flags, flags, np.zeros(2, dtype=int))
    for hot, cold, trend in ((flags, flags[:1], 2), (flags, ~flags, 3), (flags[:, :0], flags[:, :0], 2)):
        with pytest.raises(InvalidInput, match="tables"):
            emerging_classes(hot, cold, np.zeros(trend, dtype=int))
