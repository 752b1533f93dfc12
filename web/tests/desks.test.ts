import { describe, expect, it } from "vitest";
import { hrefOf, parseRoute, type Route } from "../src/state/route";
import { actionName } from "../src/text/actions";
import { chartOf, chartSummary, HEIGHT } from "../src/text/chart";
import { deviceName } from "../src/text/device";
import { changedFacts, factName } from "../src/text/facts";
import { languageChoices } from "../src/text/languages";
import { localeOf } from "../src/text/locale";
import { readRoster } from "../src/text/roster";

describe("desks", () => {
  it("have an address that leads back to them", () => {
    const pages: Route[] = [
      { name: "desk", courseId: null, desk: "account", page: "keys" },
      { name: "desk", courseId: "crs_1", desk: "course", page: "" },
    ];
    for (const page of pages) expect(parseRoute(hrefOf(page))).toEqual(page);
  });
});

describe("a roster", () => {
  it.each([
    ["ada@x.org\nbo@x.org, teacher", [[1, "ada@x.org", undefined], [2, "bo@x.org", "teacher"]]],
    ["\ufeffName;Email;Role\r\nAda;ada@x.org;Teacher\r\n\r\nBo;bo@x.org;", [[2, "ada@x.org", "teacher"], [4, "bo@x.org", undefined]]],
    ['"Lovelace, Ada",ada@x.org', [[1, "ada@x.org", undefined]]],
    ["not an address\t", [[1, "not an address", undefined]]],
    ["email,course_role\nada@x.org,dean", [[2, "ada@x.org", "dean"]]],
    ["\n \n", []],
  ])("reads %j", (text, wanted) => {
    expect(readRoster(text).map(({ line, email, role }) => [line, email, role])).toEqual(wanted);
  });
});

describe("facts", () => {
  it("are sent where they differ, and null where they are gone", () => {
    const before = { experience_level: "expert", robot: "R2", hardware_tier: "laptop" };
    const known = { experience_level: "", hardware_tier: "laptop", learning_goals: " SLAM " };
    expect(changedFacts(before, known, [{ name: "My Robot!", value: "R2" }])).toEqual({
      experience_level: null,
      learning_goals: "SLAM",
      robot: null,
      my_robot: "R2",
    });
    expect(factName("2 Robots –")).toBe("robots");
  });
});

describe("a chart", () => {
  it("tells a day of nobody, one of few and one of many apart", () => {
    const { bars, top } = chartOf([0, null, 7]);
    expect(top).toBe(10);
    expect(bars.map(({ height }) => height)).toEqual([0, 4, (7 / 10) * HEIGHT]);
  });
  it("is said in a sentence", () => {
    const days = [{ day: "2026-01-01", active_people: 6 }, { day: "2026-01-02", active_people: null }];
    expect(chartSummary(days, 5)).toBe("2 days. At most 6 people on one day, 2026-01-01. 1 day is not told, with fewer than 5 people.");
  });
});

describe("names", () => {
  it.each([
    ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1", "Safari on iOS"],
    ["Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"],
    ["curl/8.5.0", "curl"],
    [null, "Unknown program"],
  ])("of the program %j", (agent, name) => expect(deviceName(agent)).toBe(name));
  it.each([
    ["account.sign_in", "Account signed in"],
    ["api_key.revoke", "API key ended"],
    ["course.order_lessons", "Course order lessons"],
  ])("of the action %s", (action, name) => expect(actionName(action)).toBe(name));
  it.each([
    ["pt-BR", "pt-BR"],
    ["en-US@posix", "en-US"],
    ["C", "en"],
  ])("of the language %s", (said, tag) => expect(localeOf(said)).toBe(tag));
  it("of a language of one's own", () => {
    expect(languageChoices("de")).not.toHaveProperty("pt-BR");
    expect(Object.keys(languageChoices("pt-BR"))).toContain("pt-BR");
  });
});
