"""The feedback loop: patrols that are sent where they found run away; the default selection keeps them honest.

Lum and Isaac (2016) and Ensign et al. (2018), with the hotspot service itself as the ranking. Every grid of the town is
alike, so that whatever a ranking says for long is untrue.
"""

import numpy as np
import pandas as pd
import pytest

import gis
from data.synth.feedback import FINDS_TOO, PROFILE, REPORTS_ONLY, Course, Town, course

SEEDS = range(3)
WEEKS, LAST = 16, 8
TOWN = Town()
GRIDS = TOWN.side**2


@pytest.fixture(scope="module")
def courses() -> dict[tuple[str, ...], list[Course]]:
    return {
        origins: [course(TOWN, origins=origins, weeks=WEEKS, seed=seed) for seed in SEEDS]
        for origins in (REPORTS_ONLY, FINDS_TOO)
    }


def at_last(courses: list[Course], column: str) -> np.ndarray:
    """Return the mean of a column over the last weeks, one number a seed."""
    return np.array([one.weeks[column].tail(LAST).mean() for one in courses])


def test_reports_only_is_what_every_service_does_by_default() -> None:
    for service in gis.services().values():
        field = service.params.model_fields.get("origins")
        assert field is None or field.default == REPORTS_ONLY, service.id
    assert set(FINDS_TOO) - set(REPORTS_ONLY) == {"patrol"}


def test_both_courses_begin_alike(courses: dict[tuple[str, ...], list[Course]]) -> None:
    for one, other in zip(courses[REPORTS_ONLY], courses[FINDS_TOO], strict=True):
        assert (one.patrolled[0] == other.patrolled[0]).all()
        assert one.patrolled.sum(axis=1).tolist() == other.patrolled.sum(axis=1).tolist() == [TOWN.patrols] * WEEKS
    # Where all is alike, another seed begins elsewhere.
    assert len({tuple(one.patrolled[0]) for one in courses[REPORTS_ONLY]}) == len(SEEDS)


def test_with_what_patrols_find_in_the_ranking_runs_away(courses: dict[tuple[str, ...], list[Course]]) -> None:
    loop = courses[FINDS_TOO]
    # A patrol goes where it went a month ago, on records of which not one is the same.
    assert (at_last(loop, "repeated_share") > 0.85).all()
    # Most of the first choice, which was chance, is never left again.
    assert at_last(loop, "first_choice_share").mean() > 0.5
    # What is recorded gathers there, though a ninth of everything happens there.
    assert (at_last(loop, "busiest_share") > 0.25).all()
    assert (at_last(loop, "agreement") > 0.5).all()
    # The rest of the town is never looked at.
    assert max(one.patrolled.any(axis=0).sum() for one in loop) <= GRIDS / 4
    # And the service finds hotspots that are nothing but its own patrols.
    assert np.mean([one.weeks["hot_count"].tail(LAST) > 0 for one in loop]) > 0.8


def test_by_default_the_ranking_stays_as_uncertain_as_it_was(courses: dict[tuple[str, ...], list[Course]]) -> None:
    honest = courses[REPORTS_ONLY]
    by_chance = TOWN.patrols / GRIDS
    assert at_last(honest, "repeated_share").mean() == pytest.approx(by_chance, abs=0.12)
    assert at_last(honest, "first_choice_share").mean() == pytest.approx(by_chance, abs=0.12)
    assert at_last(honest, "agreement").mean() == pytest.approx(0, abs=0.2)
    # As in the first week, when nobody had patrolled yet.
    first = np.mean([one.weeks["busiest_share"].iloc[0] for one in honest])
    assert at_last(honest, "busiest_share").mean() == pytest.approx(first, abs=0.02)
    # Over the weeks more and more of the town is looked at.
    assert min(one.patrolled.any(axis=0).sum() for one in honest) > GRIDS * 0.4
    assert np.mean([one.weeks["hot_count"] > 0 for one in honest]) < 0.2


def test_the_two_are_far_apart(courses: dict[tuple[str, ...], list[Course]]) -> None:
    honest, loop = courses[REPORTS_ONLY], courses[FINDS_TOO]
    for column, gap in (("repeated_share", 0.4), ("agreement", 0.2), ("busiest_share", 0.08)):
        assert at_last(loop, column).min() > at_last(honest, column).max() + gap, column


def test_a_course_can_be_taken_again() -> None:
    one, two = (course(TOWN, origins=FINDS_TOO, weeks=3, seed=9) for _ in range(2))
    pd.testing.assert_frame_equal(one.weeks, two.weeks)
    assert (one.patrolled == two.patrolled).all()
    assert one.grids.total_bounds == pytest.approx(two.grids.total_bounds)
    assert PROFILE.synthetic
