// Reads a response body as server-sent frames. A stream that falls silent (no frame, no heartbeat)
// is treated as lost, because a dead connection through a proxy often never reports itself.
import { SseParser, type SseFrame } from "./sse";

const SILENCE_MS = 45_000;

export async function* frames(response: Response, signal: AbortSignal): AsyncGenerator<SseFrame> {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const parser = new SseParser();
  const stop = (): void => void reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", stop, { once: true });
  try {
    while (true) {
      const { done, value } = await withSilenceLimit(reader.read());
      if (done) return;
      yield* parser.push(value);
    }
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

async function withSilenceLimit<T>(read: Promise<T>): Promise<T> {
  let timer = 0;
  const silence = new Promise<never>((_, reject) => {
    timer = window.setTimeout(() => reject(new Error("The stream fell silent.")), SILENCE_MS);
  });
  try {
    return await Promise.race([read, silence]);
  } finally {
    window.clearTimeout(timer);
  }
}
