/** The few signs of the page, drawn with the colour of the text around them. */

const PATHS = {
  layers: "M12 3 3 8l9 5 9-5-9-5Zm-9 9 9 5 9-5M3 16l9 5 9-5",
  time: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-14v5l3.5 2",
  services: "M4 20V10m5.3 10V4m5.4 16v-7M20 20V7",
  list: "M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01",
  close: "m6 6 12 12M18 6 6 18",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  city: "M4 9V4h5M20 9V4h-5M4 15v5h5m11-5v5h-5",
  previous: "m14 6-6 6 6 6",
  next: "m10 6 6 6-6 6",
  auto: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-18v18",
  light: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm0-13v2m0 14v2M3 12h2m14 0h2M5.6 5.6 7 7m10 10 1.4 1.4m0-12.8L17 7M7 17l-1.4 1.4",
  dark: "M20 14.5A8.2 8.2 0 0 1 9.5 4 8.2 8.2 0 1 0 20 14.5Z",
  warning: "M12 4 2.8 20h18.4L12 4Zm0 6v4.5m0 2.8v.2",
  question: "M4 6h10M18 6h2M4 12h3m4 0h9M4 18h8m4 0h4M16 4v4M9 10v4m5 2v4",
  answer: "M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01",
  download: "M12 4v11m-4.5-4.5L12 15l4.5-4.5M4 20h16",
  picture: "M4 5h16v14H4V5Zm0 11 5-5 4 4 3-3 4 4M15.5 9h.01",
  link: "M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-5.7-5.6l-1 1M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 5.7 5.6l1-1",
  print: "M7 9V4h10v5M7 17H4V9h16v8h-3M7 14h10v6H7v-6Z",
  target: "M12 19a7 7 0 1 0 0-14 7 7 0 0 0 0 14Zm0-17v6m0 8v6M2 12h6m8 0h6",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-8 8.5c0-4 3.6-6 8-6s8 2 8 6",
  check: "m5 12.5 4.5 4.5L19 7.5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The sign of the product: a block of grid cells, one of them hot. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect x="2" y="2" width="13" height="13" rx="2.5" opacity=".45" />
      <rect x="17" y="2" width="13" height="13" rx="2.5" opacity=".75" />
      <rect x="2" y="17" width="13" height="13" rx="2.5" opacity=".75" />
      <rect class="mark-hot" x="17" y="17" width="13" height="13" rx="2.5" />
    </svg>
  );
}
