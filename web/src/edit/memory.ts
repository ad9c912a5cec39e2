/** The desk that acts here, and what the browser keeps by itself: strokes that a reload would lose on their way. */

import { computed } from "@preact/signals";
import { role } from "../state/account";
import { DESKS, type Desk, type Moves } from "./http";

/** The role that is signed in; whoever is no planner reads. */
export const desk = computed<Desk>(() => DESKS.find((one) => one === role.value) ?? "supervisor");

/** Moves that the server may not have yet, and the revision they were made at. */
export interface Unsent {
  revision: number;
  moves: Moves;
}

const unsentKey = (plan: number) => `wangge-unsent-${plan}`;

export function keepUnsent(plan: number, unsent: Unsent | null): void {
  write(() => sessionStorage, unsentKey(plan), unsent && JSON.stringify(unsent));
}

export function readUnsent(plan: number): Unsent | null {
  try {
    const found = JSON.parse(read(() => sessionStorage, unsentKey(plan)) ?? "null") as Unsent | null;
    return found && Object.keys(found.moves).length > 0 ? found : null;
  } catch {
    return null;
  }
}

function read(storage: () => Storage, key: string): string | null {
  try {
    return storage().getItem(key);
  } catch {
    // A browser that keeps nothing edits all the same.
    return null;
  }
}

function write(storage: () => Storage, key: string, value: string | null): void {
  try {
    if (value === null) storage().removeItem(key);
    else storage().setItem(key, value);
  } catch {
    // As above: only a reload at the wrong moment is then not made up for.
  }
}
