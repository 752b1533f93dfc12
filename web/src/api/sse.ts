// A server-sent events parser without any I/O: text goes in as it arrives, whole frames come out.
// Follows the WHATWG grammar: LF, CR and CRLF ends, comments, many data lines, ids that persist.

export interface SseFrame {
  id: string;
  event: string;
  data: string;
}

export class SseParser {
  private buffer = "";
  private id = "";
  private event = "";
  private data: string[] = [];
  private started = false;

  /** Feed a decoded chunk; returns the frames that it completed. */
  push(chunk: string): SseFrame[] {
    if (!this.started && chunk !== "") {
      this.started = true;
      if (chunk.startsWith("\uFEFF")) chunk = chunk.slice(1);
    }
    this.buffer += chunk;
    const frames: SseFrame[] = [];
    for (let line = this.takeLine(); line !== null; line = this.takeLine()) {
      const frame = this.line(line);
      if (frame) frames.push(frame);
    }
    return frames;
  }

  private takeLine(): string | null {
    const end = this.buffer.search(/[\r\n]/);
    if (end < 0) return null;
    // A CR at the very end may be the first half of a CRLF: wait for what follows.
    if (this.buffer[end] === "\r" && end === this.buffer.length - 1) return null;
    const line = this.buffer.slice(0, end);
    const width = this.buffer.startsWith("\r\n", end) ? 2 : 1;
    this.buffer = this.buffer.slice(end + width);
    return line;
  }

  private line(line: string): SseFrame | null {
    if (line === "") return this.dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? "" : line.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    if (field === "data") this.data.push(value);
    else if (field === "event") this.event = value;
    else if (field === "id" && !value.includes("\0")) this.id = value;
    return null;
  }

  private dispatch(): SseFrame | null {
    const frame = { id: this.id, event: this.event || "message", data: this.data.join("\n") };
    const empty = this.data.length === 0;
    this.event = "";
    this.data = [];
    return empty ? null : frame;
  }
}
