"""The clock: weights by hand across midnight, week and summer time; and a test of profiles that keeps its level."""

from collections import Counter
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2 as chi2_distribution
from scipy.stats import chi2_contingency

from gis.city.local_clock import local_clock, seconds
from gis.kernels.clock import ENOUGH, Clock, aoristic_clock, profile_test

NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def spread(*spans: tuple[str, str], time_zone: str = "Asia/Shanghai") -> Clock:
    """The clock of spans given by local time; an offset may be said where an hour comes twice."""
    start, end = (
        seconds(pd.Series([at(text, time_zone) for text in texts], dtype="datetime64[us, UTC]"))
        for texts in zip(*spans, strict=True)
    )
    clock = local_clock(time_zone, int(start.min()), int(end.max()))
    return aoristic_clock(start, end, clock.starts_s, clock.offsets_s)


def at(text: str, time_zone: str) -> pd.Timestamp:
    time = pd.Timestamp(text)
    return (time if time.tzinfo else time.tz_localize(time_zone)).tz_convert("UTC")


def weights(clock: Clock) -> dict[str, float]:
    hours = np.flatnonzero(clock.week[0])
    return {f"{NAMES[h // 24]} {h % 24}": round(float(clock.week[0, h]), 6) for h in hours}


def test_an_instant_counts_in_its_hour() -> None:
    assert weights(spread(("2025-01-01 08:59:59", "2025-01-01 08:59:59"))) == {"Wed 8": 1}
    assert weights(spread(("2025-01-01 09:00", "2025-01-01 09:00"))) == {"Wed 9": 1}
    # 23:30 in UTC is half past seven of the next day in Shanghai.
    assert weights(spread(("2024-12-31 23:30+00:00", "2024-12-31 23:30+00:00"))) == {"Wed 7": 1}


def test_a_span_across_midnight_and_the_week() -> None:
    # Sunday 22:30 to Monday 1:00: 150 minutes.
    clock = spread(("2025-01-05 22:30", "2025-01-06 01:00"))
    assert weights(clock) == {"Sun 22": 0.2, "Sun 23": 0.4, "Mon 0": 0.4}
    assert clock.watches.tolist() == [pytest.approx([0.4, 0, 0, 0.6])]


def test_a_span_that_ends_on_the_hour_leaves_the_next_one_alone() -> None:
    assert weights(spread(("2025-01-01 08:00", "2025-01-01 10:00"))) == {"Wed 8": 0.5, "Wed 9": 0.5}
    assert weights(spread(("2025-01-01 08:15", "2025-01-01 08:45"))) == {"Wed 8": 1}


def test_a_whole_week_fills_the_clock_evenly() -> None:
    clock = spread(("2025-01-01 13:20", "2025-01-08 13:20"))
    assert np.abs(clock.week - 1 / 168).max() < 1e-12
    assert clock.resultant_length < 1e-12


def test_the_hour_that_summer_time_leaves_out() -> None:
    # 2025-03-09 in Chicago: after 1:59 comes 3:00. From 1:00 to 5:00 are three hours.
    clock = spread(("2025-03-09 01:00", "2025-03-09 05:00"), time_zone="America/Chicago")
    assert weights(clock) == {"Sun 1": 0.333333, "Sun 3": 0.333333, "Sun 4": 0.333333}


def test_the_hour_that_comes_twice() -> None:
    # 2025-11-02 in Chicago: 1:00 to 1:59 comes twice. From 0:30 to 3:30 are four hours.
    clock = spread(("2025-11-02 00:30", "2025-11-02 03:30"), time_zone="America/Chicago")
    assert weights(clock) == {"Sun 0": 0.125, "Sun 1": 0.5, "Sun 2": 0.25, "Sun 3": 0.125}
    once = spread(("2025-11-02 01:30-05:00", "2025-11-02 01:30-06:00"), time_zone="America/Chicago")
    assert weights(once) == {"Sun 1": 1}


def test_zones_of_half_hours_and_their_half_hour_of_summer_time() -> None:
    assert weights(spread(("2025-01-01 09:00", "2025-01-01 10:00"), time_zone="Asia/Kolkata")) == {"Wed 9": 1}
    # 2025-04-06 on Lord Howe Island: from 2:00 back to 1:30.
    clock = spread(("2025-04-06 01:00", "2025-04-06 03:00"), time_zone="Australia/Lord_Howe")
    assert weights(clock) == {"Sun 1": 0.6, "Sun 2": 0.4}


@given(
    st.lists(
        st.tuples(st.integers(1_700_000_000, 1_800_000_000), st.one_of(st.just(0), st.integers(1, 700_000))),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from(["UTC", "America/Chicago", "Asia/Kathmandu", "Australia/Lord_Howe"]),
)
def test_weights_are_those_of_every_second(spans, time_zone) -> None:
    """Each tenth of a span, by the time zone itself, has its tenth of the weight in the hour it lies in."""
    start = np.array([s for s, _ in spans])
    end = start + np.array([length for _, length in spans])
    clock = local_clock(time_zone, int(start.min()), int(end.max()))
    found = aoristic_clock(start, end, clock.starts_s, clock.offsets_s)
    assert found.week.sum() == pytest.approx(len(spans), abs=1e-9)
    assert found.watches.sum(axis=1) == pytest.approx(np.ones(len(spans)), abs=1e-9)
    assert found.week.min() >= 0
    by_watch = found.week.reshape(7, 4, 6).sum(axis=(0, 2))
    assert found.watches.sum(axis=0) == pytest.approx(by_watch, abs=1e-9)
    parts = 2_000
    samples = start + (end - start) * ((np.arange(parts)[:, None] + 0.5) / parts)
    local = pd.to_datetime(samples.ravel(), unit="s", utc=True).tz_convert(time_zone)
    hours = np.bincount(local.day_of_week * 24 + local.hour, minlength=168) / parts
    # A border of an hour, at most 196 of them a span, falls within one part.
    assert np.abs(np.cumsum(hours - found.week[0])).max() < 197 / parts * len(spans)
    assert np.abs(hours - found.week[0]).max() < 6 / parts * len(spans)
    turn = np.exp(2j * np.pi * np.asarray((local.hour * 60 + local.minute) * 60 + local.second) / 86_400).sum() / parts
    assert complex(*found.direction) == pytest.approx(turn, abs=0.01 * len(spans))


def test_the_mean_hour_goes_round_midnight() -> None:
    late, early = "2025-01-01 23:00", "2025-01-02 01:00"
    assert spread((late, late), (early, early)).mean_hour % 24 == pytest.approx(0, abs=1e-9)
    assert spread((late, early)).mean_hour % 24 == pytest.approx(0, abs=1e-9)
    assert spread(("2025-01-01 13:00", "2025-01-01 16:00")).mean_hour == pytest.approx(14.5)
    assert spread((late, late)).resultant_length == pytest.approx(1)
    nothing = aoristic_clock(*[np.empty(0, np.int64)] * 2, np.zeros(1, np.int64), np.zeros(1, np.int64))
    assert np.isnan(nothing.mean_hour)
    assert np.isnan(nothing.resultant_length)
    assert nothing.week.sum() == 0


def test_a_group_a_row() -> None:
    start = np.array([0, 3_600, 7_200])
    clock = aoristic_clock(start, start, np.zeros(1, int), np.zeros(1, int), group=np.array([1, 0, 1]), groups=3)
    assert clock.week.sum(axis=1).tolist() == [1, 2, 0]
    assert np.flatnonzero(clock.week[1]).tolist() == [72, 74]


def one_hot(classes: np.ndarray, k: int = 4) -> np.ndarray:
    return np.eye(k)[classes]


def test_the_distance_is_pearsons() -> None:
    rng = np.random.default_rng(1)
    classes = rng.choice(4, 900, p=[0.2, 0.25, 0.3, 0.25])
    place = rng.permutation(np.repeat([0, 1], [400, 500]))
    test = profile_test(one_hot(classes), place, 2)
    table = np.array([np.bincount(classes[place == i], minlength=4) for i in (0, 1)])
    chi2, _, freedom, _ = chi2_contingency(table)
    assert freedom == 3
    assert min(table.sum(axis=1)) * 0.2 > ENOUGH
    assert test.p == pytest.approx(np.full(2, chi2_distribution.sf(chi2 * 899 / 900, 3)))
    assert test.sums.tolist() == table.tolist()
    assert test.z[0] == pytest.approx(-test.z[1])


def exact_p(classes: np.ndarray, chosen: list[int]) -> float:
    """Over every possible choice of as many events."""
    n, size = len(classes), len(chosen)
    mean = np.bincount(classes, minlength=4) / n

    def distance(rows: tuple[int, ...] | list[int]) -> float:
        counts = np.bincount(classes[list(rows)], minlength=4)
        return float(((counts - size * mean)[mean > 0] ** 2 / mean[mean > 0]).sum())

    observed = distance(chosen)
    return float(np.mean([distance(rows) >= observed - 1e-9 for rows in combinations(range(n), size)]))


@pytest.mark.parametrize("size", [1, 2, 4, 6])
def test_small_places_have_the_p_of_every_possible_choice(size: int) -> None:
    classes = np.array([0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3])
    chosen = [0, 5, 8, 9, 10, 11][:size] if size != 4 else [8, 9, 10, 11]
    place = np.ones(12, dtype=int)
    place[chosen] = 0
    test = profile_test(one_hot(classes), place, 2, permutations=20_000, seed=3)
    assert test.p[0] == pytest.approx(exact_p(classes, chosen), abs=0.018)
    # The rest is as far from the whole as the place, the other way round.
    assert test.p[1] == pytest.approx(test.p[0], abs=0.025)


def test_places_of_one_size_share_their_draws_and_keep_their_order() -> None:
    classes = np.random.default_rng(4).choice(4, 600)
    test = profile_test(one_hot(classes), np.arange(600) // 6, 100, permutations=999, seed=5)
    spread = (test.z**2).sum(axis=1)
    order = np.argsort(spread)
    assert (test.p[order][0], test.p[order][-1]) == (test.p.max(), test.p.min())
    alike = Counter(map(tuple, np.sort(test.sums, axis=1).astype(int).tolist()))
    assert len(alike) < 20
    assert test.p * 1_000 == pytest.approx(np.rint(test.p * 1_000))


def test_chance_keeps_its_level_with_spans_and_without() -> None:
    """No place differs: p is even between 0 and 1, whichever way it is found."""
    few, many = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        classes = rng.choice(4, 4_000, p=[0.1, 0.2, 0.3, 0.4])
        events = one_hot(classes)
        # A third is spread over two watches.
        spans = rng.random(4_000) < 1 / 3
        events[spans] = 0.5 * (events[spans] + one_hot((classes[spans] + 1) % 4))
        place = np.concatenate([np.repeat(np.arange(40), 20), np.repeat(np.arange(40, 48), 400)])
        p = profile_test(events, place, 48, permutations=199, seed=seed).p
        few.append(p[:40])
        many.append(p[40:])
    # 2,400 and 480 p: 5 % with standard deviations of 0.44 and 1 percentage points.
    assert 0.03 < np.mean(np.concatenate(few) <= 0.05) < 0.07
    assert 0.02 < np.mean(np.concatenate(many) <= 0.05) < 0.09
    assert 0.46 < np.mean(few) < 0.56
    assert 0.42 < np.mean(many) < 0.58


def test_one_event_of_a_rare_kind_makes_no_place_special() -> None:
    """It had to be somewhere: in a place with a tenth of all events by a chance of a tenth."""
    classes = np.arange(20_000) % 2
    classes[0] = 2
    place = (np.arange(20_000) >= 2_000).astype(int)
    test = profile_test(one_hot(classes, 3), place, 2, permutations=999, seed=7)
    assert chi2_distribution.sf((test.z[0, 2]) ** 2, 2) == pytest.approx(0.011, abs=0.001)
    assert test.p[0] == pytest.approx(0.1, abs=0.05)


def test_what_cannot_differ_does_not() -> None:
    alike = profile_test(one_hot(np.zeros(30, dtype=int)), np.arange(30) % 3, 3)
    assert alike.p.tolist() == [1, 1, 1]
    assert np.isnan(alike.z).all()
    only = profile_test(one_hot(np.arange(30) % 4), np.ones(30, dtype=int), 3)
    assert only.counts.tolist() == [0, 30, 0]
    assert only.p[1] == 1
    assert np.isnan(only.p[[0, 2]]).all()
    nothing = profile_test(np.empty((0, 4)), np.empty(0, dtype=int), 2)
    assert np.isnan(nothing.p).all()
    single = profile_test(one_hot(np.array([2])), np.array([0]), 1)
    assert single.p.tolist() == [1]


def test_the_order_of_events_and_the_seed() -> None:
    rng = np.random.default_rng(6)
    events, place = one_hot(rng.choice(4, 500)), rng.integers(0, 60, 500)
    order = rng.permutation(500)
    a = profile_test(events, place, 60, permutations=999, seed=1)
    b = profile_test(events[order], place[order], 60, permutations=999, seed=1)
    assert a.z == pytest.approx(b.z)
    # Other draws of the same null.
    assert np.abs(a.p - b.p).max() < 0.08
    assert a.p.tolist() == profile_test(events, place, 60, permutations=999, seed=1).p.tolist()
    assert a.p.tolist() != profile_test(events, place, 60, permutations=999, seed=2).p.tolist()
