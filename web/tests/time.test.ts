import { describe, expect, it } from "vitest";
import { addDays, clampPeriod, datetime, dayOf, daysBetween, extentOf, instantOf, isDay, presetOf, presetPeriod, PRESETS } from "../src/state/time";

const WHOLE = { from: "2023-01-01", to: "2025-12-31" };

describe("days", () => {
  it("belong to the city's own clock", () => {
    expect(dayOf("2025-12-31T16:30:00Z", "Asia/Shanghai")).toBe("2026-01-01");
    expect(dayOf("2025-12-31T16:30:00Z", "America/Chicago")).toBe("2025-12-31");
    expect(extentOf(["2022-12-31T16:00:00Z", "2025-12-31T15:59:59Z"], "Asia/Shanghai")).toEqual(WHOLE);
    expect(extentOf(null, "UTC")).toBeNull();
  });

  it("are counted over leap days and clock changes", () => {
    expect(addDays("2024-02-28", 2)).toBe("2024-03-01");
    expect(addDays("2025-03-08", 2)).toBe("2025-03-10");
    expect(daysBetween("2024-02-01", "2024-03-01")).toBe(29);
    expect(daysBetween("2025-01-05", "2025-01-05")).toBe(0);
  });

  it("begin when the city's clock says so, in summer and winter", () => {
    expect(instantOf("2025-01-01T00:00", "Asia/Shanghai")).toBe("2024-12-31T16:00:00.000Z");
    expect(instantOf("2025-03-09T01:30", "America/Chicago")).toBe("2025-03-09T07:30:00.000Z");
    expect(instantOf("2025-03-09T03:30", "America/Chicago")).toBe("2025-03-09T08:30:00.000Z");
    expect(instantOf("2025-11-02T12:00:00", "America/Chicago")).toBe("2025-11-02T18:00:00.000Z");
  });

  it("are told from what only looks like one", () => {
    expect(isDay("2024-02-29")).toBe(true);
    for (const text of ["2025-02-29", "2025-13-01", "2025-1-1", "today", ""]) expect(isDay(text)).toBe(false);
  });
});

describe("presets", () => {
  it("count back from the city's last day, that day included", () => {
    expect(presetPeriod("last7", WHOLE)).toEqual({ from: "2025-12-25", to: "2025-12-31" });
    expect(presetPeriod("last30", WHOLE)).toEqual({ from: "2025-12-02", to: "2025-12-31" });
    expect(presetPeriod("year", WHOLE)).toEqual({ from: "2025-01-01", to: "2025-12-31" });
    expect(presetPeriod("all", WHOLE)).toBeNull();
  });

  it("do not reach before the city's first day", () => {
    expect(presetPeriod("year", { from: "2025-12-20", to: "2025-12-31" })).toEqual({ from: "2025-12-20", to: "2025-12-31" });
  });

  it("are recognised again", () => {
    for (const preset of PRESETS) expect(presetOf(presetPeriod(preset, WHOLE), WHOLE)).toBe(preset);
    expect(presetOf({ from: "2024-01-01", to: "2024-01-02" }, WHOLE)).toBeNull();
  });
});

describe("a chosen period", () => {
  it("stays inside the city's days and in order", () => {
    expect(clampPeriod({ from: "2020-01-01", to: "2023-05-05" }, WHOLE)).toEqual({ from: "2023-01-01", to: "2023-05-05" });
    expect(clampPeriod({ from: "2024-06-01", to: "2024-05-01" }, WHOLE)).toEqual({ from: "2024-05-01", to: "2024-06-01" });
  });

  it("of all days is no filter", () => {
    expect(clampPeriod({ from: "2019-01-01", to: "2030-01-01" }, WHOLE)).toBeNull();
  });

  it("reaches the server as whole days", () => {
    expect(datetime({ from: "2025-01-01", to: "2025-01-07" })).toBe("2025-01-01/2025-01-07");
    expect(datetime(null)).toBeNull();
  });
});
