import { expect, test } from "vitest";
import { addPost, ask, inputsOf, MOST_ADDED, question, readQuestion, readRings, removePost, toggleClosed, USUAL, writeQuestion } from "../src/coverage/question";
import { sitingInputs } from "../src/coverage/siting";
import { hashParts, joinParts } from "../src/state/url";

const ASKED = {
  demand: "key_units",
  mode: "walk",
  hour: 0,
  rings: [2, 4],
  kinds: ["police_post", "grid_station"],
  added: [
    [120.5, 31.25],
    [120.75, 31.5],
  ],
  closed: ["P-1", "岗亭,2"],
  list: "sites",
} as const;

test("a question stands in the address and comes back from it", () => {
  expect(readQuestion(hashParts(joinParts(writeQuestion(ASKED))))).toEqual(ASKED);
  expect(writeQuestion(USUAL)).toEqual([]);
  expect(readQuestion(hashParts(""))).toEqual(USUAL);
});

test("an address that nobody wrote is a usual question", () => {
  const read = readQuestion(hashParts("#of=persons&by=fly&at=25&within=0,-3&from=%E0%A4&plus=1:2:3,a:b,200:10&list=none"));
  expect(read).toEqual(USUAL);
});

test("only what differs is sent", () => {
  expect(inputsOf(USUAL)).toEqual({ demand: "households", travel_mode: "drive" });
  expect(inputsOf(ASKED)).toEqual({
    demand: "key_units",
    travel_mode: "walk",
    depart_hour: 0,
    rings_min: [2, 4],
    post_kinds: ["police_post", "grid_station"],
    added_posts: [
      { lon: 120.5, lat: 31.25 },
      { lon: 120.75, lat: 31.5 },
    ],
    closed_posts: ["P-1", "岗亭,2"],
  });
});

test("rings are minutes, from the shortest, each once", () => {
  expect(readRings("5, 1，3 3")).toEqual([1, 3, 5]);
  expect(readRings("0.5")).toEqual([0.5]);
  for (const bad of ["", "a", "0", "-1", "121", "1,2,3,4,5"]) expect(readRings(bad)).toBeNull();
});

test("posts are tried and taken back one by one", () => {
  question.value = USUAL;
  addPost([120.12345678, 31.1]);
  addPost([120.1234571, 31.1]);
  expect(question.value.added).toEqual([[120.123457, 31.1]]);
  for (let i = 0; i < MOST_ADDED + 5; i += 1) addPost([120 + i / 100, 31]);
  expect(question.value.added.length).toBe(MOST_ADDED);
  removePost(0);
  expect(question.value.added[0]).toEqual([120, 31]);
  toggleClosed("a");
  toggleClosed("b");
  toggleClosed("a");
  expect(question.value.closed).toEqual(["b"]);
  ask(USUAL);
});

test("a siting is asked with the same travel, and within the last ring", () => {
  expect(sitingInputs(ASKED, "fewest_posts", 4)).toEqual({
    demand: "key_units",
    travel_mode: "walk",
    depart_hour: 0,
    goal: "fewest_posts",
    new_posts_count: 4,
    answer: "at_once",
    reach_min: 4,
  });
});
