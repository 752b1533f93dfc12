import { describe, expect, it } from "vitest";
import { fromLink, hrefOf, parseRoute, type Route } from "../src/state/route";

describe("links from outside", () => {
  it("turn a lesson's plain address into ours", () => {
    expect(fromLink("/courses/crs_1/lessons/lsn_2")).toEqual({ hash: "#/c/crs_1/lessons/lsn_2", passageId: null });
  });
  it("open a passage wherever one is at home", () => {
    expect(fromLink("/passages/chk_3")).toEqual({ hash: "#/", passageId: "chk_3" });
  });
  it("leave every other address alone", () => {
    for (const path of ["/", "/courses", "/courses/a/lessons/b/c", "/passages/<script>", "/elsewhere"]) {
      expect(fromLink(path)).toBeNull();
    }
  });
});

describe("pages to manage", () => {
  it("have an address that leads back to them", () => {
    const pages: Route[] = [
      { name: "manage", courseId: null, page: "rules", id: null },
      { name: "manage", courseId: "crs_1", page: "connections", id: "con_2" },
    ];
    for (const page of pages) expect(parseRoute(hrefOf(page))).toEqual(page);
  });
  it("begin with the connections where nothing else is named", () => {
    expect(parseRoute("#/c/general/manage/x")).toEqual({ name: "manage", courseId: null, page: "connections", id: null });
  });
});
