"""What a division into beats is worth, in numbers: how even, how soon, who is busy, who comes from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gis.city.beat_work import MINUTES, Work
from gis.kernels.block_graph import BlockGraph, Floats, Ints
from gis.kernels.dispatch import Answers, dispatch
from gis.kernels.hypercube import WhenBusy

NO_UNIT = -2
"""Beat of a grid that has none; no unit's beat."""


@dataclass(frozen=True, slots=True, eq=False)
class BeatFigures:
    """Beats 0 to k - 1 and their units (u,).

    Attributes
    ----------
    load_ratio : (k,)
        Workload against the mean of all beats.
    pieces_count
        Pieces that the beats lie in; k when every one hangs together.
    travel_s : (k,)
        Mean time from the unit of its own that is there soonest to its incidents; nan where none gets there.
    response_s : (k,)
        Mean time until whichever unit is free is there; nan where none gets there.
    busy_share : (k,)
        Mean of its units; nan for a beat without one.
    outside_share, all_busy_share : (k,)
        Of its incidents, those that a unit of another beat answers, and those that find all units busy.
    unit_beat : (u,)
    """

    load_ratio: Floats
    pieces_count: int
    travel_s: Floats
    response_s: Floats
    busy_share: Floats
    outside_share: Floats
    all_busy_share: Floats
    unit_beat: Ints
    answers: Answers
    rate_per_min: Floats


def figures(
    beat: Ints,
    unit_beat: Ints,
    seconds: Floats,
    work: Work,
    graph: BlockGraph,
    *,
    beats_count: int,
    service_min: float,
    when_busy: WhenBusy,
) -> BeatFigures:
    """Return what beats (n,) are worth; -1 is a grid without one.

    Parameters
    ----------
    unit_beat : (u,)
    seconds : (u, n)
        From where each unit waits to each grid's incidents.
    """
    home = np.where(beat >= 0, beat, NO_UNIT)
    answers = dispatch(
        seconds, work.rate_per_min, unit_beat=unit_beat, atom_beat=home, service_min=service_min, when_busy=when_busy
    )
    own_s = np.where(unit_beat[:, None] == home, seconds, np.inf).min(axis=0)
    held = beat >= 0
    piece = graph.pieces(beat)

    def mean(values: Floats) -> Floats:
        """Mean over each beat's incidents; over its grids where it has none."""
        known = held & np.isfinite(values)
        heavy = np.bincount(beat[held], work.rate_per_min[held], minlength=beats_count) > 0
        weight = np.where(heavy[np.where(held, beat, 0)], work.rate_per_min, 1.0) * known
        total = np.bincount(beat[held], weight[held], minlength=beats_count)
        sums = np.bincount(beat[held], (weight * np.where(known, values, 0.0))[held], minlength=beats_count)
        return np.asarray(np.divide(sums, total, out=np.full(beats_count, np.nan), where=total > 0))

    units = np.bincount(unit_beat[unit_beat >= 0], minlength=beats_count)
    busy = np.bincount(unit_beat[unit_beat >= 0], answers.busy_share[unit_beat >= 0], minlength=beats_count)
    load = np.bincount(beat[held], work.load[held], minlength=beats_count)
    return BeatFigures(
        load_ratio=load / load.mean(),
        pieces_count=int(np.unique(piece[held]).size),
        travel_s=mean(own_s),
        response_s=mean(answers.response_s),
        busy_share=np.divide(busy, units, out=np.full(beats_count, np.nan), where=units > 0),
        outside_share=mean(answers.other_share),
        all_busy_share=mean(answers.lost_share),
        unit_beat=unit_beat,
        answers=answers,
        rate_per_min=np.bincount(beat[held], work.rate_per_min[held], minlength=beats_count).astype(np.float64),
    )


def compared_row(division: str, found: BeatFigures, *, tolerance: float) -> dict[str, object]:
    """Return one division in a row of numbers."""
    ratio, rate = found.load_ratio, found.rate_per_min
    outside = np.abs(ratio - 1) > tolerance + 1e-9
    return {
        "division": division,
        "beats_count": len(ratio),
        "units_count": len(found.unit_beat),
        "load_cv_share": float(ratio.std()),
        "heaviest_ratio": float(ratio.max()),
        "outside_tolerance_count": int(outside.sum()),
        "pieces_count": found.pieces_count,
        "travel_min": _mean(found.travel_s / 60, rate),
        "response_min": _mean(found.response_s / 60, rate),
        "slowest_min": _largest(found.response_s / 60),
        "busy_share": float(found.answers.busy_share.mean()),
        "busiest_share": float(found.answers.busy_share.max()),
        "outside_share": _mean(found.outside_share, rate),
        "all_busy_share": _mean(found.all_busy_share, rate),
        "wait_min": found.answers.wait_s / 60,
    }


def unit_rows(found: BeatFigures, beats: np.ndarray, names: np.ndarray) -> list[dict[str, object]]:
    """Return a row a unit; `beats` (k,) and `names` (u,) are what they are called."""
    answers = found.answers
    return [
        {
            "unit": str(name),
            "beat_code": str(beats[b]) if b >= 0 else None,
            "busy_share": float(answers.busy_share[i]),
            "answered_per_day": float(answers.answered_per_min[i] * MINUTES),
            "elsewhere_share": float(answers.elsewhere_share[i]),
            "travel_min": _plain(answers.unit_travel_s[i] / 60),
        }
        for i, (name, b) in enumerate(zip(names.tolist(), found.unit_beat.tolist(), strict=True))
    ]


def beat_rows(found: BeatFigures, beats: np.ndarray) -> list[dict[str, object]]:
    """Return a row a beat; `beats` (k,) is what they are called."""
    return [
        {
            "beat_code": str(code),
            "load_ratio": float(found.load_ratio[b]),
            "travel_min": _plain(found.travel_s[b] / 60),
            "response_min": _plain(found.response_s[b] / 60),
            "busy_share": _plain(found.busy_share[b]),
            "outside_share": _plain(found.outside_share[b]),
        }
        for b, code in enumerate(beats.tolist())
    ]


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _mean(values: Floats, weight: Floats) -> float | None:
    known = np.isfinite(values) & (weight > 0)
    return float(values[known] @ weight[known] / weight[known].sum()) if known.any() else None


def _largest(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.max()) if known.size else None
