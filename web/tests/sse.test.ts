import { describe, expect, it } from "vitest";
import { SseParser } from "../src/api/sse";
import { decodeEvent, isTerminal } from "../src/api/events";

const STREAM = ': hello\n\nid: 1.1\nevent: text.delta\ndata: {"text":"Grüße"}\n\nid: 1.2\ndata: a\ndata: b\n\n';

describe("SseParser", () => {
  it("gives the same frames however the text is cut", () => {
    const whole = new SseParser().push(STREAM);
    for (let size = 1; size < 9; size++) {
      const parser = new SseParser();
      const frames = [];
      for (let at = 0; at < STREAM.length; at += size) frames.push(...parser.push(STREAM.slice(at, at + size)));
      expect(frames).toEqual(whole);
    }
    expect(whole).toEqual([
      { id: "1.1", event: "text.delta", data: '{"text":"Grüße"}' },
      { id: "1.2", event: "message", data: "a\nb" },
    ]);
  });

  it("takes CRLF and CR, even when a CRLF is cut in two", () => {
    const parser = new SseParser();
    expect(parser.push("data: a\r")).toEqual([]);
    expect(parser.push("\n\r")).toEqual([]);
    expect(parser.push("\ndata: b\r\rdata")).toEqual([
      { id: "", event: "message", data: "a" },
      { id: "", event: "message", data: "b" },
    ]);
  });

  it("passes over heartbeats, unknown fields and an unfinished frame", () => {
    const parser = new SseParser();
    expect(parser.push(": keep-alive\n\nretry: 10\n\nid: 9\n\ndata: half")).toEqual([]);
    expect(parser.push("\n\n")).toEqual([{ id: "9", event: "message", data: "half" }]);
  });
});

describe("decodeEvent", () => {
  it("knows the events of a run and nothing else", () => {
    expect(decodeEvent({ id: "1.1", event: "text.delta", data: '{"text":"a"}' })).toEqual({
      type: "text.delta",
      text: "a",
    });
    expect(decodeEvent({ id: "1.1", event: "toString", data: "{}" })).toBeNull();
    expect(decodeEvent({ id: "1.1", event: "text.delta", data: "{" })).toBeNull();
  });

  it("takes the kind from the frame, not from its payload", () => {
    const event = decodeEvent({ id: "1.1", event: "text.delta", data: '{"type":"run.failed","text":"a"}' });
    expect(event && isTerminal(event)).toBe(false);
  });
});
