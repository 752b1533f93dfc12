import { expect, test } from "vitest";
import { signInProblem } from "../src/text/signInProblem";

test("a code has its words, and a made-up one gets no say", () => {
  expect(signInProblem("")).toBeNull();
  expect(signInProblem("?other=1")).toBeNull();
  expect(signInProblem("?error=suspended")).toContain("suspended");
  for (const code of ["Call+0800+now", "constructor", "__proto__", ""]) {
    expect(signInProblem(`?error=${code}`)).toBe("The sign-in did not work. Please try again.");
  }
});
