"""A claim is measured fairly, and a short one fails the run."""

from __future__ import annotations

import time

import pytest

from bench.__main__ import LINE, kept, rewritten, row, table
from bench.harness import Budget, Contest, Disagreement, Quality, compare, keep, main, measure


def contest(*, target: float, calls: list[str], agree=lambda ours, anchor: f"{ours} and {anchor}") -> Contest:
    def ours() -> int:
        calls.append("ours")
        return 1

    def anchor() -> int:
        calls.append("anchor")
        time.sleep(0.02)
        return 1

    return Contest(name="t", n=5, ours=ours, anchor=anchor, anchor_name="slow", target=target, agree=agree)


def test_both_sides_take_turns_after_they_have_agreed():
    calls: list[str] = []
    claim = measure(contest(target=1, calls=calls))
    assert calls == ["ours", "anchor"] * 4
    assert claim.agreement == "1 and 1"
    assert claim.anchor_s >= 0.02


def test_different_answers_are_not_timed():
    calls: list[str] = []

    def differ(ours: int, anchor: int) -> str:
        raise Disagreement(f"{ours} {anchor}")

    with pytest.raises(Disagreement):
        measure(contest(target=1, calls=calls, agree=differ))
    assert len(calls) == 2


@pytest.mark.parametrize(("target", "status", "verdict"), [(1.0, 0, "holds"), (1e9, 1, "short")])
def test_a_short_claim_fails_the_run(capsys, target, status, verdict):
    def contests(*, quick: bool) -> list[Contest]:
        assert quick
        return [contest(target=target, calls=[])]

    assert main(contests, title="test", arguments=["--quick"]) == status
    line = capsys.readouterr().out.strip().splitlines()[-1]
    found = LINE.match(line)
    assert found is not None
    assert (found["name"], found["n"], found["verdict"]) == ("t", "5", verdict)
    assert row("b", line).endswith(f"| {verdict} |")


def test_a_benchmark_replaces_its_own_rows_and_no_other():
    claim = "claim {} n=5 ours={} anchor=2s ratio=2 target=1 holds"
    before = [row("b", claim.format("old", "1s")), row("a", claim.format("kept", "1s"))]
    text = rewritten("head\n<!-- claims: written by python -m bench -->\n<!-- end of claims -->\ntail\n", table(before))
    after = rewritten(text, table([*kept(text, {"b"}), row("b", claim.format("new", "3‰_missed"))]))
    names = [line.split(" | ")[1] for line in after.splitlines() if line.startswith("| `")]
    assert names == ["kept", "new"]
    assert after.startswith("head\n")
    assert after.endswith("tail\n")


def test_a_claim_line_can_be_split_at_its_spaces():
    quality = Quality(name="t", n=5, measure=lambda: (1.0, 2.0, "same"), anchor_name="other", unit="‰ missed", target=1)
    line = compare(quality).line()
    assert LINE.match(line) is not None
    assert len(line.split()) == 8


def budget(*, budget_s: float, calls: list[str], check=str) -> Budget:
    def ours() -> int:
        calls.append("ours")
        time.sleep(0.02)
        return 7

    return Budget(name="t", n=5, ours=ours, budget_s=budget_s, check=check, before=lambda: calls.append("before"))


def test_a_budget_is_timed_after_its_answer_is_checked():
    calls: list[str] = []
    claim = keep(budget(budget_s=0.4, calls=calls))
    assert calls == ["before", "ours"] * 4
    assert (claim.agreement, claim.anchor_s, claim.target) == ("7", 0.4, 1.0)
    assert claim.ratio == pytest.approx(0.4 / claim.ours_s)
    assert claim.ours_s >= 0.02

    def wrong(answer: int) -> str:
        raise Disagreement(str(answer))

    calls.clear()
    with pytest.raises(Disagreement):
        keep(budget(budget_s=9, calls=calls, check=wrong))
    assert calls == ["before", "ours"]


@pytest.mark.parametrize(("budget_s", "status", "verdict"), [(60.0, 0, "holds"), (0.001, 1, "short")])
def test_a_budget_that_is_not_kept_fails_the_run(capsys, budget_s, status, verdict):
    def contests(*, quick: bool) -> list[Contest | Budget]:
        assert not quick
        return [contest(target=0, calls=[]), budget(budget_s=budget_s, calls=[])]

    assert main(contests, title="test", arguments=[]) == status
    found = LINE.match(capsys.readouterr().out.strip().splitlines()[-1])
    assert found is not None
    assert (found["anchor"], found["target"], found["verdict"]) == (f"{budget_s:g}s", "1", verdict)


@pytest.mark.parametrize(("target", "status", "verdict"), [(1.5, 0, "holds"), (2.5, 1, "short")])
def test_a_better_answer_is_claimed_in_its_own_unit(capsys, target: float, status: int, verdict: str):
    quality = Quality(
        name="q", n=7, measure=lambda: (10.0, 20.0, "the same blocks"), anchor_name="x", unit="km", target=target
    )
    assert compare(quality).ratio == 2.0

    def contests(*, quick: bool) -> list[Quality]:
        assert quick
        return [quality]

    assert main(contests, title="t", arguments=["--quick"]) == status
    out = capsys.readouterr().out
    line = f"claim q n=7 ours=10km anchor=20km ratio=2 target={target:g} {verdict}"
    assert line in out.splitlines()
    assert LINE.match(line)
    assert "20 km" in out
