import { describe, expect, it } from "vitest";
import { ApiProblem } from "../src/api";
import type { Edit, Moves, Plan } from "../src/edit/http";
import { Queue, type Change, type Wire } from "../src/edit/queue";

/** A plan on a server of three rules: revisions rise by one, stale ones are refused, undo takes the last edit back. */
class Desk implements Wire {
  revision = 1;
  assignment: Moves = { a: "1", b: "1", c: "2" };
  log: (Edit & { before: Moves; after: Moves })[] = [];
  pauses: number[] = [];
  /** What happens to the next requests. */
  weather: ("lost on the way" | "lost on the way back" | "refused")[] = [];

  send = (change: Change, revision: number): Promise<Plan> => {
    const weather = this.weather.shift();
    if (weather === "lost on the way") return Promise.reject(new ApiProblem("no network", 0));
    if (weather === "refused") return Promise.reject(new ApiProblem("locked", 422));
    if (revision !== this.revision) {
      const since = this.log.slice(-(this.revision - revision));
      return Promise.reject(new ApiProblem("stale", 409, [], null, { revision: this.revision, since }));
    }
    this.write(change);
    if (weather === "lost on the way back") return Promise.reject(new ApiProblem("bad gateway", 502));
    return Promise.resolve({ revision: this.revision } as Plan);
  };

  edits = () => Promise.resolve(this.log);

  pause = (ms: number) => {
    this.pauses.push(ms);
    return Promise.resolve();
  };

  write(change: Change): void {
    const done = this.log.filter(({ undone }) => !undone);
    if (change.kind === "undo" || change.kind === "redo") {
      const edit = change.kind === "undo" ? done.at(-1)! : this.log[done.length]!;
      edit.undone = change.kind === "undo";
      Object.assign(this.assignment, edit.undone ? edit.before : edit.after);
    } else {
      const before = Object.fromEntries(Object.keys(change.effect).map((code) => [code, this.assignment[code] ?? null]));
      const action = change.kind === "move" ? change.action : "lock";
      const edit = { action, blocks: Object.keys(change.effect), grids: [], undone: false, desk: "planner", made_at: "" };
      this.log = [...done, { ...edit, seq: done.length + 1, before, after: change.effect }];
      Object.assign(this.assignment, change.effect);
    }
    this.revision += 1;
  }
}

const stroke = (effect: Moves): Change => ({ kind: "move", action: "brush", effect });

function begun(desk = new Desk()) {
  const told: { saved: number[]; refused: unknown[] } = { saved: [], refused: [] };
  const queue = new Queue(desk.revision, desk, {
    onSaved: ({ revision }) => told.saved.push(revision),
    onRefused: (error) => told.refused.push(error),
  });
  return { desk, queue, told };
}

describe("the queue of strokes", () => {
  it("sends each at the revision that the one before it made", async () => {
    const { desk, queue, told } = begun();
    queue.push(stroke({ a: "2" }));
    queue.push(stroke({ b: "2" }));
    queue.push({ kind: "undo", effect: { b: "1" } });
    expect(queue.state.value).toBe("saving");
    expect(queue.net()).toEqual({ a: "2", b: "1" });
    expect(await queue.settled()).toBe(true);
    expect(told.saved).toEqual([2, 3, 4]);
    expect(desk.assignment).toEqual({ a: "2", b: "1", c: "2" });
    expect(queue.state.value).toBe("saved");
  });

  it("sends again, ever more patiently, while the server is away, and says so meanwhile", async () => {
    const { desk, queue } = begun();
    desk.weather = ["lost on the way", "lost on the way", "lost on the way"];
    const seen: string[] = [];
    const pause = desk.pause;
    desk.pause = (ms) => {
      seen.push(queue.state.value);
      return pause(ms);
    };
    queue.push(stroke({ a: "2" }));
    expect(await queue.settled()).toBe(true);
    expect(seen).toEqual(["cutOff", "cutOff", "cutOff"]);
    expect(desk.pauses).toEqual([500, 1000, 2000]);
    expect(desk.log).toHaveLength(1);
  });

  it.each<[string, Change[]]>([
    ["a stroke", [stroke({ a: "2" })]],
    ["an undo", [stroke({ a: "2" }), stroke({ c: "1" }), { kind: "undo", effect: { c: "2" } }]],
    ["a redo", [stroke({ a: "2" }), { kind: "undo", effect: { a: "1" } }, { kind: "redo", effect: { a: "2" } }]],
    ["a lock", [{ kind: "lock", locks: { blocks: ["a"], grids: [] }, effect: {} }]],
  ])("does not do %s twice whose answer was lost", async (_, changes) => {
    const calm = begun();
    for (const change of changes) calm.queue.push(change);
    await calm.queue.settled();
    const stormy = begun();
    for (const change of changes) {
      stormy.desk.weather = ["lost on the way back"];
      stormy.queue.push(change);
      expect(await stormy.queue.settled()).toBe(true);
    }
    expect(stormy.desk.assignment).toEqual(calm.desk.assignment);
    expect(stormy.desk.log).toEqual(calm.desk.log);
    expect(stormy.queue.revision).toBe(calm.queue.revision);
  });

  it("stands still where somebody else was faster, and knows what is at stake", async () => {
    const { desk, queue } = begun();
    desk.write(stroke({ c: "1" }));
    queue.push(stroke({ a: "2" }));
    queue.push(stroke({ b: "2" }));
    expect(await queue.settled()).toBe(false);
    expect(queue.state.value).toBe("clash");
    expect(queue.clash.value).toMatchObject({ revision: 2, since: [{ blocks: ["c"] }] });
    expect(queue.net()).toEqual({ a: "2", b: "2" });
    expect(desk.assignment).toEqual({ a: "1", b: "1", c: "1" });
  });

  it("says mine again at their revision", async () => {
    const { desk, queue } = begun();
    desk.write(stroke({ a: "3" }));
    queue.push(stroke({ a: "2" }));
    await queue.settled();
    const mine = queue.net();
    queue.restart(desk.revision);
    queue.push({ kind: "move", action: "brush", effect: mine });
    expect(await queue.settled()).toBe(true);
    expect(desk.assignment.a).toBe("2");
  });

  it("does not take another's same stroke for its own when no answer of ours was lost", async () => {
    const { desk, queue } = begun();
    desk.write(stroke({ a: "2" }));
    queue.push(stroke({ a: "2" }));
    expect(await queue.settled()).toBe(false);
  });

  it("drops what the server will not have, and all that came after it", async () => {
    const { desk, queue, told } = begun();
    desk.weather = ["refused"];
    queue.push(stroke({ a: "2" }));
    queue.push(stroke({ b: "2" }));
    await queue.settled();
    expect(told.refused).toHaveLength(1);
    expect(queue.waiting.value).toEqual([]);
    expect(desk.log).toEqual([]);
  });

  it("sends nothing more once closed", async () => {
    const { desk, queue } = begun();
    desk.weather = ["lost on the way"];
    desk.pause = () => {
      queue.close();
      return Promise.resolve();
    };
    queue.push(stroke({ a: "2" }));
    expect(await queue.settled()).toBe(false);
    expect(desk.log).toEqual([]);
  });
});
