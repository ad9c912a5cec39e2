/** A stop moved by hand: from then on every unit keeps its order, so that nothing changes but what was moved. */

import { effect, signal } from "@preact/signals";
import { announce, t } from "../state/store";
import { isCurrent, main, routes } from "./answer";
import { moved, ordersOf, sameOrders, without, withStop, type Spot } from "./plan";
import { ask, question, type KeptOrder } from "./question";

/** The stop that the pointer drags. */
export const dragged = signal<Spot | null>(null);
/** Before which stop it would fall. */
export const target = signal<Spot | null>(null);

/** What was asked before each move of this visit. */
const before: (readonly KeptOrder[])[] = [];
let focusOn: string | null = null;

export function move(from: Spot, to: Spot, name: string): void {
  const orders = ordersOf(routes.peek());
  const next = moved(orders, from, to);
  if (sameOrders(orders, next)) return;
  take(next, codeAt(orders, from));
  announce(t("patrolMoved", name, to.unit));
}

export function takeOut(spot: Spot, name: string): void {
  const orders = ordersOf(routes.peek());
  take(without(orders, spot), null);
  announce(t("patrolTaken", name, spot.unit));
}

/** Gives a stop that nobody visits to a unit, after its other stops. */
export function give(code: string, unit: string, name: string): void {
  take(withStop(ordersOf(routes.peek()), unit, code), code);
  announce(t("patrolMoved", name, unit));
}

/** Lets a unit be planned anew around the others. */
export function free(unit: string): void {
  take(ordersOf(routes.peek()).filter((order) => order.unit !== unit), null);
}

export function freeAll(): void {
  take([], null);
}

export function undo(): void {
  ask({ orders: before.pop() ?? [] });
}

function take(orders: readonly KeptOrder[], code: string | null): void {
  before.push(question.peek().orders);
  focusOn = code;
  ask({ orders });
}

function codeAt(orders: readonly KeptOrder[], { unit, at }: Spot): string | null {
  return orders.find((order) => order.unit === unit)?.stops[at] ?? null;
}

/** Brings the keyboard back to the stop that it moved, once its new row is there; or to the way back, where it cannot be. */
export function followFocus(): void {
  effect(() => {
    if (!main.failure.value || focusOn === null) return;
    focusOn = null;
    requestAnimationFrame(() => {
      if (document.activeElement === document.body) document.querySelector<HTMLElement>(".job-failed .primary")?.focus();
    });
  });
  effect(() => {
    if (!isCurrent.value || focusOn === null || routes.value.length === 0) return;
    const code = focusOn;
    focusOn = null;
    requestAnimationFrame(() => {
      const rows = [...document.querySelectorAll<HTMLElement>("[data-stop]")];
      const row = rows.find(({ dataset }) => dataset.stop === code);
      const active = document.activeElement;
      // Who went elsewhere meanwhile is left there.
      if (!active || active === document.body || active.closest("#panel-answer")) row?.querySelector<HTMLElement>("summary")?.focus();
    });
  });
}
