// Splits growing Markdown into blocks. All but the last block are settled and are never lexed again,
// so that painting a frame of a long answer costs as much as its last paragraph.
import { lexer, type Token } from "marked";

export interface Block {
  /** The Markdown of the block; its identity for the cache of rendered HTML. */
  raw: string;
  /** Set for a fenced block, which is drawn as text instead of HTML. */
  code: { lang: string; text: string; closed: boolean } | null;
}

export class BlockSplitter {
  private source = "";
  private settled: Block[] = [];
  private settledEnd = 0;

  /** The blocks of `text`. Cheap when `text` continues the one before. */
  split(text: string): Block[] {
    if (!text.startsWith(this.source.slice(0, this.settledEnd))) this.reset();
    this.source = text;
    const tokens = lexer(text.slice(this.settledEnd), { gfm: true });
    const last = tokens.findLastIndex((token) => token.type !== "space");
    for (const token of tokens.slice(0, Math.max(last, 0))) this.settle(token);
    const open = last < 0 ? [] : [blockOf(tokens[last]!)];
    return [...this.settled, ...open];
  }

  private settle(token: Token): void {
    this.settledEnd += token.raw.length;
    if (token.type !== "space" && token.type !== "def") this.settled.push(blockOf(token));
  }

  private reset(): void {
    this.settled = [];
    this.settledEnd = 0;
  }
}

/** All blocks of a text that will not grow. */
export function blocksOf(text: string): Block[] {
  return new BlockSplitter().split(text);
}

function blockOf(token: Token): Block {
  if (token.type !== "code" || token.codeBlockStyle === "indented") return { raw: token.raw, code: null };
  const lang = String(token.lang ?? "").split(/\s/)[0] ?? "";
  const fence = /^\s*(`{3,}|~{3,})/.exec(token.raw)?.[1] ?? "```";
  const closed = token.raw.trimEnd().endsWith(`\n${fence}`);
  return { raw: token.raw, code: { lang, text: String(token.text), closed } };
}
