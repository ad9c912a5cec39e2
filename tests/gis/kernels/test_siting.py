"""Fewest sites and most coverage: published optima, every siting tried one by one, and what must hold of any."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from gis.errors import Infeasible, InvalidInput
from gis.kernels.cover_search import Aim, least_sites, search_cover
from gis.kernels.siting import cover_within, lscp, lscp_backup, mclp, merged_demand
from tests.support.location_oracles import every_choice, expected, san_francisco, sjc


def weight_of(dense: np.ndarray, weight: np.ndarray, sites: list[int] | np.ndarray, least: int = 1) -> float:
    return float(weight[dense[list(sites)].sum(axis=0) >= least].sum())


@st.composite
def questions(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    m, n = draw(st.integers(1, 8)), draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dense = rng.random((m, n)) < draw(st.sampled_from([0.15, 0.3, 0.6]))
    weight = rng.integers(0, 20, n).astype(float)
    if draw(st.booleans()):
        weight = weight * rng.random(n)
    must = rng.random(m) < 0.2
    return dense, weight, must, int(must.sum()) + draw(st.integers(0, 3)) or 1


@pytest.mark.parametrize("number", [324, 402, 500])
def test_sjc_every_p_and_the_fewest(shared_data: Path, number: int) -> None:
    distance, weight = sjc(shared_data, number)
    cover = cover_within(distance, 800)
    oracle = expected(shared_data)["mclp_sjc"]
    for p, value in oracle["optimum_by_p"][f"SJC{number}"].items():
        found = mclp(cover, weight, int(p))
        assert (found.value, found.bound, found.status, found.gap) == (value, value, "optimal", 0)
        assert weight_of(cover.toarray(), weight, found.sites) == value
        instant = mclp(cover, weight, int(p), time_limit_s=0)
        assert 0.99 * value <= instant.value <= value <= instant.bound
    fewest, backed = lscp_backup(cover, weight)
    assert fewest.value == backed.sites.size == oracle["lscp_sites"][f"SJC{number}"]
    assert fewest.status == backed.status == "optimal"
    # A start that is optimal already once made HiGHS claim one site less than its own solution had.
    assert lscp(cover).status == "optimal"
    assert lscp(cover, time_limit_s=0).value <= fewest.value + 1


def test_san_francisco(shared_data: Path) -> None:
    metres, residents, stores = san_francisco(shared_data)
    oracle = expected(shared_data)["spopt_sf"]
    cover = cover_within(metres, 5_000)
    found = mclp(cover, residents, 4)
    assert found.value == oracle["mclp_p4_5000m"]["population"]
    assert {stores[j] for j in found.sites} == set(oracle["mclp_p4_5000m"]["sites"])
    assert weight_of(cover.toarray(), np.ones(205), found.sites) == oracle["mclp_p4_5000m"]["tracts"]
    assert mclp(cover, np.ones(205), 4).value == oracle["mclp_p4_5000m_unit_weights"]["tracts"]
    fewest, backed = lscp_backup(cover)
    assert fewest.value == oracle["lscp_5000m"]["sites"]
    assert backed.value == backed.bound == oracle["lscp_backup_5000m"]["tracts_covered_twice"]
    assert weight_of(cover.toarray(), np.ones(205), backed.sites, 2) == backed.value


@given(questions())
@settings(max_examples=60)
def test_most_coverage_is_that_of_the_best_of_all_choices(question: tuple) -> None:
    dense, weight, must, p = question
    found = mclp(sparse.csr_array(dense), weight, p, must=must)
    best = max(weight_of(dense, weight, s) for s in [*every_choice(len(dense), p, must), np.flatnonzero(must)])
    assert found.value == pytest.approx(best, rel=1e-6)
    assert found.bound == pytest.approx(best, rel=1e-6, abs=1e-6)
    assert found.status == "optimal"
    assert found.value == pytest.approx(weight_of(dense, weight, found.sites))
    assert must[found.sites].sum() == must.sum()
    assert found.sites.size <= p
    instant = mclp(sparse.csr_array(dense), weight, p, must=must, time_limit_s=0)
    assert instant.value <= best * (1 + 1e-6)
    assert instant.bound >= best * (1 - 1e-6)


@given(questions(), st.sampled_from([0.0, 0.2, 0.6]))
@settings(max_examples=60)
def test_fewest_sites_are_those_of_the_least_of_all_choices(question: tuple, share: float) -> None:
    dense, weight, must, _ = question
    dense = dense[:, dense.any(axis=0)]
    weight = weight[: dense.shape[1]]
    cover = sparse.csr_array(dense)
    enough = share * weight.sum() * (1 - 1e-9)
    choices = [
        s
        for s in [*every_choice(len(dense), len(dense), must), np.flatnonzero(must)]
        if dense[list(s)].any(axis=0).all() and weight_of(dense, weight, s, 2) >= enough
    ]
    if not choices:
        with pytest.raises(Infeasible, match="backup share"):
            lscp(cover, weight=weight, must=must, backup_share=share)
        return
    least = min(len(s) for s in choices)
    fewest, backed = lscp_backup(cover, weight, must=must, backup_share=share)
    assert (fewest.value, fewest.bound, fewest.status) == (least, least, "optimal")
    twice = max(weight_of(dense, weight, s, 2) for s in choices if len(s) == least)
    assert backed.value == pytest.approx(twice, rel=1e-6)
    assert backed.status == "optimal"
    for one in (fewest, backed):
        assert one.sites.size == least
        assert dense[one.sites].any(axis=0).all()
        assert must[one.sites].sum() == must.sum()
    instant = lscp(cover, weight=weight, must=must, backup_share=share, time_limit_s=0)
    assert instant.value >= least >= instant.bound
    assert weight_of(dense, weight, instant.sites, 2) >= enough


@given(questions(), st.sampled_from([0.2, 0.5, 0.8]))
@settings(max_examples=50)
def test_most_coverage_with_backup(question: tuple, share: float) -> None:
    dense, weight, must, p = question
    enough = share * weight.sum() * (1 - 1e-9)
    values = [
        weight_of(dense, weight, s)
        for s in every_choice(len(dense), p, must)
        if weight_of(dense, weight, s, 2) >= enough
    ]
    if not values:
        with pytest.raises(Infeasible, match=r"twice|backup share"):
            mclp(sparse.csr_array(dense), weight, p, must=must, backup_share=share)
        return
    found = mclp(sparse.csr_array(dense), weight, p, must=must, backup_share=share)
    assert found.value == pytest.approx(max(values), rel=1e-6)
    assert found.status == "optimal"
    assert weight_of(dense, weight, found.sites, 2) >= enough


@given(questions())
@settings(max_examples=40)
def test_one_post_more_never_covers_less_and_the_next_gains_less(question: tuple) -> None:
    dense, weight, _, _ = question
    cover = sparse.csr_array(dense)
    value = [0.0, *(mclp(cover, weight, p).value for p in range(1, len(dense) + 1))]
    gain = np.diff(value)
    assert (gain >= -1e-6).all()
    assert value[1] >= max(gain) - 1e-6
    assert value[-1] == pytest.approx(weight[dense.any(axis=0)].sum())
    rng = np.random.default_rng(0)
    order, columns = rng.permutation(len(dense)), rng.permutation(dense.shape[1])
    turned = mclp(sparse.csr_array(dense[order][:, columns]), weight[columns], 2)
    assert turned.value == pytest.approx(mclp(cover, weight, 2).value, rel=1e-6)


@given(questions())
def test_merged_demand_loses_nothing(question: tuple) -> None:
    dense = question[0]
    merged, row = merged_demand(sparse.csr_array(dense))
    assert ((row < 0) == ~dense.any(axis=0)).all()
    assert (merged.toarray()[:, row[row >= 0]] == dense[:, row >= 0]).all()
    assert np.unique(merged.toarray(), axis=1).shape[1] == merged.shape[1]
    assert least_sites(merged) <= lscp(merged).value


def test_greedy_alone_keeps_its_promise_and_its_bound() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        cover = sparse.csr_array(rng.random((40, 120)) < 0.06)
        weight = rng.integers(1, 50, 120)
        best = mclp(cover, weight.astype(float), 6).value
        greedy = search_cover(cover, weight, 6, kicks=0)
        assert (1 - 1 / np.e) * best <= greedy.once <= best <= greedy.at_most
        assert search_cover(cover, weight, 6).once >= greedy.once


def test_what_is_aimed_at_is_counted_twice() -> None:
    cover = sparse.csr_array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1]])
    found = search_cover(cover, np.array([5, 5, 1, 1]), 2, aim=Aim(1, 100, 10))
    assert (found.sites.tolist(), found.once, found.twice) == ([0, 1], 10, 10)
    assert search_cover(cover, np.array([5, 5, 1, 1]), 2).once == 12


def test_the_same_seed_gives_the_same_sites() -> None:
    rng = np.random.default_rng(4)
    cover, weight = sparse.csr_array(rng.random((60, 300)) < 0.05), rng.integers(1, 9, 300).astype(float)
    one, two = (mclp(cover, weight, 8, time_limit_s=0, seed=5) for _ in range(2))
    assert one.sites.tolist() == two.sites.tolist()


def test_a_short_time_leaves_a_bound_and_a_watch_can_end_it() -> None:
    rng = np.random.default_rng(1)
    cover = sparse.csr_array(rng.random((200, 400)) < 0.05)
    found = lscp(cover, time_limit_s=1)
    assert found.status == "bounded"
    assert 0 < found.gap < 1
    assert found.bound < found.value
    told: list[tuple[float, float, float]] = []

    def watch(*seconds_value_bound: float) -> None:
        told.append(seconds_value_bound)
        if len(told) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lscp(cover, time_limit_s=60, watch=watch)
    assert len(told) == 3
    assert told[-1][2] <= found.value


def test_what_cannot_be_asked_is_refused() -> None:
    cover = sparse.csr_array(np.array([[1, 0, 0], [1, 1, 0]]))
    with pytest.raises(Infeasible, match=r"1 of 3 demand rows .* row 2"):
        lscp(cover)
    with pytest.raises(Infeasible, match=r"1 sites are asked for, but 2 must be open"):
        mclp(cover, np.ones(3), 1, must=np.array([True, True]))
    with pytest.raises(Infeasible, match=r"backup share of 0\.9"):
        mclp(cover, np.ones(3), 2, backup_share=0.9)
    with pytest.raises(InvalidInput, match="weight is a number"):
        mclp(cover, np.array([1.0, -1.0, np.nan]), 1)
    with pytest.raises(InvalidInput, match="2 sites"):
        mclp(cover, np.ones(3), 1, must=np.array([True]))
