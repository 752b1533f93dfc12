import { describe, expect, it } from "vitest";
import { parseRoute, hrefOf, type Route } from "../src/state/route";
import { lessonHref } from "../src/text/links";
import { markQuote } from "../src/text/quote";
import { bareTitle, startersFor } from "../src/text/starters";

const lesson = (id: string, title: string, path: string) => ({
  id,
  title,
  path,
  course_id: "crs_1",
  position: 0,
  published: true,
});

describe("markQuote", () => {
  it("marks a quote across tags and differing white space", () => {
    const root = document.createElement("div");
    root.innerHTML = "<p>First. It does <em>not</em> know\nwho <code>listens</code>. Last.</p>";
    expect(markQuote(root, "It does not  know who `listens`.")).toBe(true);
    expect([...root.querySelectorAll("mark")].map((mark) => mark.textContent).join("")).toBe(
      "It does not know\nwho listens",
    );
    expect(root.textContent).toBe("First. It does not know\nwho listens. Last.");
  });

  it("says so when the text does not have it", () => {
    const root = document.createElement("div");
    root.innerHTML = "<p>Something else</p>";
    expect(markQuote(root, "A quote")).toBe(false);
    expect(markQuote(root, "")).toBe(false);
  });
});

describe("startersFor", () => {
  it("asks only about lessons that exist and are published", () => {
    const lessons = [lesson("a", "1. Nodes", "a.md"), { ...lesson("b", "Hidden", "b.md"), published: false }];
    expect(startersFor(lessons)).toEqual(["What is the main idea of “Nodes”?"]);
    expect(startersFor([])).toEqual([]);
    expect(bareTitle("Lesson 12: Topics")).toBe("Topics");
    expect(bareTitle("3D vision")).toBe("3D vision");
    expect(bareTitle("2001 a space odyssey")).toBe("2001 a space odyssey");
  });
});

describe("lessonHref", () => {
  it("finds the lesson behind a relative path", () => {
    const all = [lesson("lsn_1", "A", "unit/a.md"), lesson("lsn_2", "B", "b.md")];
    expect(lessonHref("../b.md#part", all[0]!, all)).toBe("#/c/crs_1/lessons/lsn_2");
    expect(lessonHref("missing.md", all[0]!, all)).toBeNull();
  });
});

describe("routes", () => {
  it.each<Route>([
    { name: "new", courseId: null },
    { name: "new", courseId: "crs_1" },
    { name: "thread", courseId: "crs_1", threadId: "thr_1" },
    { name: "lessons", courseId: "crs_1" },
    { name: "lesson", courseId: "crs_1", lessonId: "lsn_1" },
  ])("reads back what it writes: %j", (route) => {
    expect(parseRoute(hrefOf(route))).toEqual(route);
  });

  it("sends anything else home", () => {
    expect(parseRoute("#/nowhere")).toEqual({ name: "home" });
  });
});
