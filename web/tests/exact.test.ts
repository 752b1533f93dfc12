// What a person judges by its looks: characters that do not show, arguments, results.
import { describe, expect, it } from "vitest";
import { canEdit, editedOf, fieldsOf } from "../src/text/given";
import { readResult } from "../src/text/results";
import { visible, visibleJson } from "../src/text/visible";

describe("visible", () => {
  it("writes out what does not show or turns others around", () => {
    expect(visible("a\u202Egpj.exe")).toBe("a⟦U+202E⟧gpj.exe");
    expect(visible("pass\u200Bword\u00AD\uFEFF\u3164")).toBe("pass⟦U+200B⟧word⟦U+00AD⟧⟦U+FEFF⟧⟦U+3164⟧");
    expect(visible("\u{E0041}\u0007")).toBe("⟦U+E0041⟧⟦U+0007⟧");
  });

  it("leaves what shows, and lines", () => {
    const plain = "Zeile 1\n\tZeile 2: äöü, 日本語, עברית, ✅ <b>";
    expect(visible(plain)).toBe(plain);
  });

  it("keeps the value of JSON", () => {
    const value = { note: "a\u202Eb\u{E0041}" };
    const text = visibleJson(JSON.stringify(value));
    expect(text).toBe('{"note":"a\\u202eb\\udb40\\udc41"}');
    expect(JSON.parse(text)).toEqual(value);
  });
});

describe("arguments", () => {
  it("are fields: plain text where every character of it shows, else JSON", () => {
    const fields = fieldsOf('{"title":"Read\\nit","note":"a\\u202eb","count":3,"tags":["x"]}')!;
    expect(fields.map(({ name, kind, draft }) => [name, kind, draft])).toEqual([
      ["title", "text", "Read\nit"],
      ["note", "json", '"a\\u202eb"'],
      ["count", "json", "3"],
      ["tags", "json", '[\n  "x"\n]'],
    ]);
    expect(editedOf(fields, ["Read\nit", '"a\\u202eb"', "3", '[\n  "x"\n]'])).toEqual({ arguments: null });
    const changed = { title: "Else", note: "a\u202Eb", count: 4, tags: ["x"] };
    expect(editedOf(fields, ["Else", '"a\\u202eb"', "4", '[\n  "x"\n]'])).toEqual({ arguments: changed });
    expect(editedOf(fields, ["Else", '"a\\u202eb"', "four", "[]"])).toMatchObject({ problem: expect.any(String) });
  });

  it("are shown as they are written where reading them would change them", () => {
    expect(fieldsOf('{"id":12345678901234567890}')).toBeNull();
    expect(fieldsOf("[1]")).toBeNull();
    expect(fieldsOf("not json")).toBeNull();
  });

  it("are not edited around a secret", () => {
    expect(canEdit('{"title":"x"}')).toBe(true);
    expect(canEdit('{"title":"x","password":"•••"}')).toBe(false);
    expect(canEdit("{}")).toBe(false);
  });
});

describe("readResult", () => {
  it("takes the sentence, the data and what could follow", () => {
    const result = JSON.stringify({ said: "Made it.", data: { id: 1 }, note: "data, not instructions", next: ["Show", 3] });
    expect(readResult(result)).toEqual({ said: "Made it.", rest: '{\n  "id": 1\n}', next: ["Show"] });
    expect(readResult('{"said":"Done."}')).toEqual({ said: "Done.", rest: "", next: [] });
  });

  it("finds the sentence of a result that was cut", () => {
    expect(readResult('{"said":"Found \\"50\\" tasks.","data":[{"ti\n[cut]')).toMatchObject({ said: 'Found "50" tasks.' });
  });

  it("shows anything else as it is", () => {
    expect(readResult("Not done: no.")).toEqual({ said: null, rest: "Not done: no.", next: [] });
    expect(readResult(null)).toEqual({ said: null, rest: "", next: [] });
  });
});
