import { describe, expect, it } from "vitest";
import { claimBefore, sentenceFor } from "../src/text/claim";

function page(html: string): HTMLElement {
  const root = document.createElement("div");
  root.innerHTML = html;
  return root;
}

const PASSAGE = page(
  "<p>A connection needs enough on offer. A best-effort publisher and a reliable subscriber do not connect, " +
    "and no message is delivered. The other way round works.</p><ul><li>Use the verbose form of topic info.</li></ul>",
);

describe("the statement before a chip", () => {
  const answer = page(
    "<p>First this <button data-cite='2'>2</button>. A publisher is at <em>best effort</em> " +
      "<span><button data-cite='1'>1</button></span>. Last.</p>",
  );

  it("is its own sentence, without other chips", () => {
    expect(claimBefore(answer.querySelector("[data-cite='1']")!)).toBe("A publisher is at best effort");
    expect(claimBefore(answer.querySelector("[data-cite='2']")!)).toBe("First this");
  });
});

describe("the sentence that carries it", () => {
  it("shares the most words", () => {
    expect(sentenceFor("Reliable subscribers and a best-effort publisher never connect: no message is delivered", PASSAGE)).toBe(
      "A best-effort publisher and a reliable subscriber do not connect, and no message is delivered.",
    );
    expect(sentenceFor("See it with topic info in its verbose form", PASSAGE)).toBe("Use the verbose form of topic info.");
  });

  it("is none when the passage says something else", () => {
    expect(sentenceFor("Wheels are round and made of rubber", PASSAGE)).toBeNull();
    expect(sentenceFor("", PASSAGE)).toBeNull();
  });
});
