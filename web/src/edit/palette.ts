/** The colours of the editor in both lights; as they are drawn, a test holds them apart for every kind of sight. */

export type Tone = "light" | "dark";

export const GRIDS: Record<Tone, readonly string[]> = {
  light: ["#5b52b8", "#86dcf5", "#4690a5", "#1d6a33", "#9aa632", "#e6cf90", "#d1676b", "#6d2c50"],
  dark: ["#4a3aa8", "#a0d8ff", "#659bb2", "#1f7a2a", "#92a23c", "#f4d37e", "#c07a75", "#94204d"],
};

/** Far below the band, below, in it, above, far above. */
export const LOADS: Record<Tone, readonly string[]> = {
  light: ["#15559e", "#5aa0cc", "#d8d5cc", "#e8744f", "#a50f20"],
  dark: ["#8fd0ff", "#3f83bd", "#3a424c", "#c9503f", "#ff8a70"],
};

/** Of blocks as they are today, and of blocks that the draft has moved; faint where only the moves matter. */
export const OPACITY: Record<Tone, { kept: number; moved: number; faint: number }> = {
  light: { kept: 0.6, moved: 0.92, faint: 0.1 },
  dark: { kept: 0.5, moved: 0.9, faint: 0.1 },
};

export const INK: Record<
  Tone,
  { border: string; block: string; traced: string; target: string; halo: string; text: string; loose: string; hatch: string }
> = {
  light: {
    border: "#1b2a34",
    block: "#ffffff",
    traced: "#b3261e",
    target: "#0b5c8a",
    halo: "#ffffff",
    text: "#14222b",
    loose: "#ffffff",
    hatch: "#14222b",
  },
  dark: {
    border: "#e7eef2",
    block: "#15191e",
    traced: "#ffb4a2",
    target: "#7fd4ff",
    halo: "#10161b",
    text: "#eef4f7",
    loose: "#2a333b",
    hatch: "#f2f6f8",
  },
};
