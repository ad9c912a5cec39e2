/**
 * Strokes on their way to the server: in order, one at a time, each at the revision that the one before it made. The
 * page does not wait for them. Where the network fails they are sent again; where somebody else was faster, the queue
 * stands still until the planner has chosen.
 */

import { computed, signal } from "@preact/signals";
import { ApiProblem } from "../api";
import type { Locks } from "./board";
import type { Edit, Moves, Plan } from "./http";

/** A change; `effect` is what it does to the assignment, wherever it comes from. */
export type Change =
  | { kind: "move"; action: string; effect: Moves }
  | { kind: "undo" | "redo"; effect: Moves }
  | { kind: "lock"; locks: Locks; effect: Moves };

export interface Clash {
  /** The plan's own now. */
  revision: number;
  /** What was done to it meanwhile. */
  since: Edit[];
}

/** The other end. */
export interface Wire {
  send: (change: Change, revision: number) => Promise<Plan>;
  edits: () => Promise<Edit[]>;
  /** Waits before sending again. */
  pause: (ms: number) => Promise<void>;
}

export interface Listener {
  /** A change has arrived: the plan as it is now. */
  onSaved: (plan: Plan) => void;
  /** The server will not have a change; it and all after it are dropped. */
  onRefused: (error: unknown) => void;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

export class Queue {
  readonly waiting = signal<readonly Change[]>([]);
  readonly clash = signal<Clash | null>(null);
  /** Whether the last attempt failed for want of a network or a server. */
  readonly cutOff = signal(false);
  readonly state = computed(() => {
    if (this.clash.value) return "clash";
    if (this.waiting.value.length === 0) return "saved";
    return this.cutOff.value ? "cutOff" : "saving";
  });

  private running: Promise<void> | null = null;
  private closed = false;

  constructor(
    public revision: number,
    private readonly wire: Wire,
    private readonly listener: Listener,
  ) {}

  push(change: Change): void {
    this.waiting.value = [...this.waiting.value, change];
    void this.run();
  }

  /** What all that waits comes to. */
  net(): Moves {
    return Object.assign({}, ...this.waiting.value.map(({ effect }) => effect)) as Moves;
  }

  /** Resolves when nothing waits any more: true when all was saved, false when there is a clash to settle first. */
  async settled(): Promise<boolean> {
    await this.run();
    return this.waiting.value.length === 0;
  }

  /** Forgets what waits, and goes on from a revision. */
  restart(revision: number): void {
    this.waiting.value = [];
    this.clash.value = null;
    this.cutOff.value = false;
    this.revision = revision;
  }

  /** Nothing more is sent. */
  close(): void {
    this.closed = true;
  }

  private get hasWork(): boolean {
    return this.waiting.value.length > 0 && !this.clash.value && !this.closed;
  }

  private run(): Promise<void> {
    if (!this.running && !this.hasWork) return Promise.resolve();
    this.running ??= this.work();
    return this.running;
  }

  private async work(): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    while (this.hasWork) {
      const [change] = this.waiting.value as [Change];
      try {
        const plan = await this.wire.send(change, this.revision);
        this.revision = plan.revision;
        this.shift();
        this.listener.onSaved(plan);
        pause = FIRST_PAUSE_MS;
      } catch (error) {
        if (isCutOff(error)) {
          this.cutOff.value = true;
          await this.wire.pause(pause);
          pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
        } else {
          await this.settle(change, error);
        }
      }
    }
    // At once, so that what is pushed from now on begins anew.
    this.running = null;
  }

  /** What a refusal means: that an attempt believed lost had arrived, that others were faster, or that it is no good. */
  private async settle(change: Change, error: unknown): Promise<void> {
    const clash = clashOf(error);
    if (!clash) {
      this.waiting.value = [];
      this.listener.onRefused(error);
    } else if (this.cutOff.value && clash.revision === this.revision + 1 && (await this.hasLanded(change))) {
      this.revision = clash.revision;
      this.shift();
    } else {
      this.clash.value = clash;
    }
  }

  private async hasLanded(change: Change): Promise<boolean> {
    return landed(change, await this.wire.edits().catch(() => []));
  }

  private shift(): void {
    this.cutOff.value = false;
    this.waiting.value = this.waiting.value.slice(1);
  }
}

function isCutOff(error: unknown): boolean {
  return error instanceof ApiProblem && (error.status === 0 || error.status >= 500);
}

export function clashOf(error: unknown): Clash | null {
  if (!(error instanceof ApiProblem) || error.status !== 409) return null;
  const { revision, since } = error.body as Partial<Clash>;
  return typeof revision === "number" ? { revision, since: since ?? [] } : null;
}

/** Whether the newest line of the log is a change of ours: its answer was lost, it was not. */
function landed(change: Change, edits: readonly Edit[]): boolean {
  const done = edits.filter(({ undone }) => !undone);
  const newest = change.kind === "undo" ? edits[done.length] : done.at(-1);
  if (!newest) return false;
  const blocks = Object.keys(change.effect).sort();
  const same = blocks.length === newest.blocks.length && [...newest.blocks].sort().every((code, at) => code === blocks[at]);
  const action = change.kind === "move" ? change.action : change.kind === "lock" ? "lock" : newest.action;
  return same && newest.action === action;
}
