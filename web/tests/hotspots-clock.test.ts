import { describe, expect, it } from "vitest";
import {
  ANY_TIME,
  clockOf,
  holds,
  isAnyTime,
  moved,
  peakOf,
  range,
  readRuns,
  rectangle,
  shareOf,
  shiftOf,
  toggled,
  weightsOf,
  withShift,
  writeRuns,
  type Clock,
} from "../src/hotspots/clock";
import { clockText, dayName, hoursSpan } from "../src/hotspots/subject";

const at = (day: number, hour: number) => ({ day, hour });

describe("a rectangle on the clock", () => {
  it("is the days and hours between its corners, whichever is drawn first", () => {
    expect(rectangle(at(4, 16), at(5, 23))).toEqual({ days: [4, 5], hours: range(16, 24) });
    expect(rectangle(at(5, 23), at(4, 16))).toEqual(rectangle(at(4, 16), at(5, 23)));
  });

  it("from a name of a day or an hour takes the whole row or column", () => {
    expect(rectangle(at(2, -1), at(3, 5))).toEqual({ days: [2, 3], hours: null });
    expect(rectangle(at(-1, 8), at(4, 9))).toEqual({ days: null, hours: [8, 9] });
  });

  it("over everything is no filter", () => {
    expect(rectangle(at(0, 0), at(6, 23))).toEqual(ANY_TIME);
    expect(isAnyTime(clockOf(range(0, 7), []))).toBe(true);
  });
});

describe("turning one spot", () => {
  it("chooses a cell alone, and gives it up again", () => {
    const one = toggled(ANY_TIME, at(3, 20));
    expect(one).toEqual({ days: [3], hours: [20] });
    expect(toggled(one, at(3, 20))).toEqual(ANY_TIME);
    expect(toggled(one, at(3, 21))).toEqual({ days: [3], hours: [21] });
  });

  it("adds and takes whole days and hours by their names", () => {
    const days = [at(0, -1), at(6, -1), at(5, -1), at(0, -1)].reduce<Clock>(toggled, ANY_TIME);
    expect(days).toEqual({ days: [5, 6], hours: null });
    expect(toggled(days, at(-1, 7))).toEqual({ days: [5, 6], hours: [7] });
    expect([at(5, -1), at(6, -1)].reduce(toggled, days)).toEqual(ANY_TIME);
    expect(toggled(days, at(-1, -1))).toEqual(ANY_TIME);
  });
});

describe("the shifts", () => {
  it("are eight hours each, and together the whole day", () => {
    const hours = (["night", "day", "evening"] as const).map((shift) => withShift(ANY_TIME, shift).hours!);
    expect(hours.map((one) => one.length)).toEqual([8, 8, 8]);
    expect(hours.flat()).toEqual(range(0, 24));
  });

  it("keep the days and are recognised again", () => {
    const chosen = withShift({ days: [4], hours: [1] }, "evening");
    expect(chosen.days).toEqual([4]);
    expect(shiftOf(chosen)).toBe("evening");
    expect(shiftOf(ANY_TIME)).toBeNull();
    expect(shiftOf({ days: null, hours: [16] })).toBeNull();
  });
});

describe("the keys", () => {
  it("move within the table, the names of days and hours included", () => {
    expect(moved(at(0, 0), "ArrowLeft")).toEqual(at(0, -1));
    expect(moved(at(0, -1), "ArrowLeft")).toEqual(at(0, -1));
    expect(moved(at(0, 0), "ArrowUp")).toEqual(at(-1, 0));
    expect(moved(at(6, 23), "ArrowDown")).toEqual(at(6, 23));
    expect(moved(at(2, 9), "End")).toEqual(at(2, 23));
    expect(moved(at(2, 9), "Home")).toEqual(at(2, 0));
    expect(moved(at(2, 9), "x")).toBeNull();
  });
});

describe("the weights of a week", () => {
  const weights = range(0, 7).map((day) => range(0, 24).map((hour) => (day === 5 && hour >= 22 ? 10 : 1)));

  it("are taken only in the shape of a week", () => {
    expect(weightsOf(weights)).toBe(weights);
    for (const wrong of [null, [], weights.slice(1), [...weights.slice(1), [1, 2]], "x"]) expect(weightsOf(wrong)).toBeNull();
  });

  it("give the share of what is chosen, and the peak", () => {
    expect(shareOf(weights, { days: [5], hours: [22, 23] })).toEqual({ inside: 20, all: 7 * 24 + 18 });
    expect(shareOf(weights, ANY_TIME).inside).toBe(186);
    expect(peakOf(weights)).toEqual(at(5, 22));
    expect(peakOf(weights.map((hours) => hours.map(() => 0)))).toBeNull();
  });

  it("hold a cell exactly where day and hour are both chosen", () => {
    const chosen = { days: [5], hours: [22] };
    expect([holds(chosen, 5, 22), holds(chosen, 5, 21), holds(chosen, 4, 22), holds(ANY_TIME, 0, 0)]).toEqual([true, false, false, true]);
  });
});

describe("runs of numbers", () => {
  it.each([
    [[0, 1, 2, 7, 22, 23], "0-2,7,22-23"],
    [[5], "5"],
  ])("%o are written %s and read back", (numbers, text) => {
    expect(writeRuns(numbers)).toBe(text);
    expect(readRuns(text, 24)).toEqual(numbers);
  });

  it("that ask for everything or nonsense ask for nothing", () => {
    for (const text of [undefined, "", "0-23", "30", "7-3", "-1", "a"]) expect(readRuns(text, 24)).toBeNull();
  });
});

describe("the clock in words", () => {
  it("names days and hours in both languages", () => {
    expect(dayName(0, "zh")).toBe("周一");
    expect(dayName(6, "en")).toBe("Sun");
    expect(hoursSpan(16, 23)).toBe("16:00–24:00");
    expect(hoursSpan(22, 24)).toBe("22:00–1:00");
    expect(clockText({ days: [0, 1, 2, 3, 4], hours: range(16, 24) }, "zh")).toBe("周一至周五 16:00–24:00");
    expect(clockText({ days: [5, 6], hours: null }, "en")).toBe("Sat, Sun");
    expect(clockText({ days: null, hours: [0, 1, 22, 23] }, "en")).toBe("0:00–2:00, 22:00–24:00");
    expect(clockText(ANY_TIME, "en")).toBe("At any time");
  });
});
