import { describe, expect, it } from "vitest";
import { COVERAGE_WORDS } from "../src/coverage/words";
import { EDIT_WORDS } from "../src/edit/words";
import { HOTSPOT_WORDS } from "../src/hotspots/words";
import { say, WORDS, type Word } from "../src/i18n";
import { PATROL_WORDS } from "../src/patrol/words";

const words = Object.keys(WORDS) as Word[];
/** What reads the same in both languages. */
const SHARED = new Set<Word>(["ofTotal", "empty", "coverageSubject", "patrolVisitedOf"]);

function spoken(language: "zh" | "en", word: Word): string {
  const phrase: unknown = WORDS[word][language];
  return typeof phrase === "function" ? String(phrase(3, 7, 5, 2)) : String(phrase);
}

describe("the words of the page", () => {
  it.each(words)("%s is said in both languages, each in its own", (word) => {
    const [zh, en] = [spoken("zh", word), spoken("en", word)];
    expect(zh.trim()).not.toBe("");
    expect(en.trim()).not.toBe("");
    expect(zh + en).not.toContain("undefined");
    if (SHARED.has(word)) return;
    expect(zh).toMatch(/[\u4e00-\u9fff]|JSON/);
    expect(en).not.toMatch(/[\u3000-\u9fff\uff00-\uffef]/);
  });

  it("take the same number of values in both languages", () => {
    for (const word of words) {
      const { zh, en } = WORDS[word] as Record<"zh" | "en", unknown>;
      expect(typeof zh).toBe(typeof en);
      if (typeof zh === "function" && typeof en === "function") expect(zh.length).toBe(en.length);
    }
  });

  it("are no workspace's where they are another's", () => {
    const parts = [HOTSPOT_WORDS, COVERAGE_WORDS, PATROL_WORDS, EDIT_WORDS].flatMap((part) => Object.keys(part));
    expect(parts.filter((word, at) => parts.indexOf(word) !== at)).toEqual([]);
  });

  it("hold their values", () => {
    expect(say("en", "daysCount", 1)).toBe("1 day");
    expect(say("zh", "leftOutRow", 1200, "位置保密")).toBe("1,200 条：位置保密");
  });
});
