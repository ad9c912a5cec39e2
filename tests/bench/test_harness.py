"""A claim is measured fairly, and a short one fails the run."""

from __future__ import annotations

import time

import pytest

from bench.__main__ import LINE, rewritten, table
from bench.harness import Contest, Disagreement, main, measure


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
    assert f"| {verdict} |" in rewritten(
        "before\n<!-- claims: written by python -m bench -->\nold\n<!-- end of claims -->\n", table([("b", line)])
    )
