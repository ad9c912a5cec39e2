/** The signs of the editor's tools, drawn as all signs of the page are. */

import type { Tab, Tool } from "./choices";

const PATHS = {
  pan: "M12 3v18M3 12h18M12 3 9.5 5.5M12 3l2.5 2.5M12 21l-2.5-2.5M12 21l2.5-2.5M3 12l2.5-2.5M3 12l2.5 2.5M21 12l-2.5-2.5M21 12l-2.5 2.5",
  brush: "M14.5 5.5 19 10l-7.5 7.5M14.5 5.5 20 2l2 2-3 6M14.5 5.5 9 11M9 11c-3 0-4 2-4 4.5 0 1.5-1 2.5-2.5 3 4 2 9 1 9-3.5L9 11Z",
  block: "m4 8 8-4.5L20 8v8l-8 4.5L4 16V8Zm8 4.5V20M4.4 8.2 12 12.5l7.6-4.3",
  lasso:
    "M8.5 17.5C5 16.5 3 14 3 11c0-4 4-7 9-7s9 3 9 7-4 7-9 7c-.8 0-1.500-.1-2.200-.2M8.500 17.500a2 2 0 1 1-2.500 2M8.500 17.500c.5 1.500 0 3-2 4",
  erase: "m9 20-5-5a2 2 0 0 1 0-2.800L12.200 4a2 2 0 0 1 2.800 0L20 9a2 2 0 0 1 0 2.800L11.800 20H9Zm0 0h11M8 8.500l7.500 7.500",
  select: "M4 4h4M4 4v4M20 4h-4M20 4v4M4 20h4M4 20v-4M20 20h-4M20 20v-4M8.500 12.500l2.500 2.500 5-5.500",
  merge: "M4 4h7v7H4V4Zm9 9h7v7h-7v-7ZM14 5h5v5M19 5l-6 6M10 19H5v-5",
  split: "M4 4h16v16H4V4Zm2 16L18 4M11 8l2 2M9 13l2 2",
  corner: "M12 12 4 5M12 12l8-7M12 12v9M12 9.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5Z",
  balance: "M12 4v16M7 20h10M5 7h14M5 7l-2.500 6h5L5 7Zm14 0-2.500 6h5L19 7Z",
  warnings: "M12 4 2.800 20h18.400L12 4Zm0 6v4.500m0 2.800v.2",
  moved: "M4 8h13m-4-4 4 4-4 4M20 16H7m4-4-4 4 4 4",
  proposal: "M12 3v3m0 12v3M3 12h3m12 0h3M6 6l2 2m8 8 2 2m0-12-2 2m-8 8-2 2M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6Z",
  review: "M5 4h10l4 4v12H5V4Zm10 0v4h4M8.500 14l2.500 2.500 4.500-5",
  undo: "M9 14 4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3",
  redo: "m15 14 5-5-5-5M20 9H10a6 6 0 0 0 0 12h3",
  lock: "M6 11h12v9H6v-9Zm2.500 0V8a3.500 3.500 0 0 1 7 0v3M12 14.500v2.500",
  unlock: "M6 11h12v9H6v-9Zm2.500 0V8a3.500 3.500 0 0 1 6.800-1.200M12 14.500v2.500",
  zoom: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14Zm5-2 5 5M11 8v6m-3-3h6",
  back: "m14 6-6 6 6 6",
  arrow: "M5 12h13m-4-4 4 4-4 4",
  plus: "M12 5v14M5 12h14",
  trash: "M5 7h14M10 7V4h4v3m-7 0 1 13h8l1-13M10 11v5m4-5v5",
  copy: "M9 9h11v11H9V9Zm-3 6H4V4h11v2",
  eye: "M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12ZM12 14.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5Z",
} as const satisfies Record<Tool | Tab | string, string>;

export type SignName = keyof typeof PATHS;

export function Sign({ name }: { name: SignName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
