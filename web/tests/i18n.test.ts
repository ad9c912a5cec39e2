import { describe, expect, it } from "vitest";
import { say, WORDS, type Word } from "../src/i18n";

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

  it("hold their values", () => {
    expect(say("en", "daysCount", 1)).toBe("1 day");
    expect(say("zh", "leftOutRow", 1200, "位置保密")).toBe("1,200 条：位置保密");
  });
});
