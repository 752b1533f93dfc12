import { describe, expect, it } from "vitest";
import { fromLink } from "../src/state/route";

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
