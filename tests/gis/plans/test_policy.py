"""The policy table: dated rows with their source, all problems at once."""

import datetime as dt

import pytest

from gis.errors import InvalidInput
from gis.plans.policy import FILE, Policy, WorkloadWeights, policy, policy_of


def rows(**values: object) -> dict:
    told = [
        {
            "id": row.id,
            "value": list(row.value) if isinstance(row.value, tuple) else row.value,
            "valid_from": row.valid_from,
            "status": row.status,
            "zh": row.title.zh,
            "en": row.title.en,
            "source": row.source,
        }
        for row in policy().rows
    ]
    return {"row": [row | ({"value": values[row["id"]]} if row["id"] in values else {}) for row in told]}


def test_the_shipped_policy_says_what_the_sources_say() -> None:
    ours = policy()
    assert (ours.band.target, ours.band.least, ours.band.most) == (300, 150, 500)
    assert ours.hard_most_households == 700
    assert ours.workload == WorkloadWeights()
    assert ours.water_is_barrier
    for row in ours.rows:
        assert row.source, row.id
        assert row.title.zh != row.title.en
        assert row.status in {"read", "choice", "unconfirmed"}
    assert FILE.name == "grids.toml"


def test_the_newest_row_that_is_in_force_counts() -> None:
    told = rows()
    newer = next(row for row in told["row"] if row["id"] == "load.target_households")
    told["row"].append(newer | {"value": 350, "valid_from": dt.date(2026, 7, 1)})
    assert policy_of(told).target_households == 350
    assert policy_of(told, day=dt.date(2026, 6, 30)).target_households == 300
    assert policy_of(told, day=dt.date(2026, 7, 1)).target_households == 350


def test_every_problem_is_named_at_once() -> None:
    told = rows()
    told["row"] = [row for row in told["row"] if row["id"] != "load.target_households"]
    told["row"].append({"id": "load.colour", "value": 1, "valid_from": dt.date(2020, 1, 1), "status": "choice"})
    told["row"].append(told["row"][0] | {"id": "load.shade"})
    with pytest.raises(InvalidInput) as error:
        policy_of(told)
    assert {p.code for p in error.value.problems} == {"missing_value", "unknown_row", "missing_row"}
    with pytest.raises(InvalidInput, match="no row is in force"):
        policy_of(rows(), day=dt.date(2000, 1, 1))


def test_numbers_that_contradict_one_another() -> None:
    with pytest.raises(InvalidInput, match="hard_most_households must not be below"):
        policy_of(rows(**{"load.hard_most_households": 400}))
    with pytest.raises(InvalidInput, match="least <= target"):
        policy_of(rows(**{"load.soft_least_households": 400}))


def test_a_workload_needs_weights_that_make_sense() -> None:
    with pytest.raises(InvalidInput, match="from 0"):
        WorkloadWeights(rentals=-1)
    with pytest.raises(InvalidInput, match="nothing makes work"):
        WorkloadWeights(households=0)
    assert isinstance(policy(), Policy)
