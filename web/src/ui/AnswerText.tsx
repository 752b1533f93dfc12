// Markdown that may be growing: settled blocks are drawn once, only the last one is drawn again.
import { useMemo } from "preact/hooks";
import { BlockSplitter, blocksOf, type Block } from "../text/blocks";
import { renderHtml } from "../text/markdown";
import { CodeBlock } from "./CodeBlock";

interface Props {
  text: string;
  cited: ReadonlyMap<number, string>;
  growing: boolean;
}

export function AnswerText({ text, cited, growing }: Props) {
  const splitter = useMemo(() => new BlockSplitter(), []);
  const blocks = useMemo(() => (growing ? splitter.split(text) : blocksOf(text)), [text, growing]);
  if (text === "") return null;
  return (
    <div class={growing ? "prose growing" : "prose"} data-testid="message-text">
      {blocks.map((block, index) => (
        <OneBlock key={index} block={block} cited={cited} />
      ))}
    </div>
  );
}

function OneBlock({ block, cited }: { block: Block; cited: ReadonlyMap<number, string> }) {
  if (block.code) return <CodeBlock {...block.code} />;
  return <HtmlBlock raw={block.raw} cited={cited} />;
}

function HtmlBlock({ raw, cited }: { raw: string; cited: ReadonlyMap<number, string> }) {
  const known = [...cited.keys()].join();
  // The same element object lets the differ pass this block by.
  return useMemo(() => {
    const html = renderHtml(raw, { cited, resolve: withinSite });
    return <div class="block" dangerouslySetInnerHTML={{ __html: html }} />;
  }, [raw, known]);
}

/** An answer may point into this site by an absolute path; anything vaguer leads nowhere. */
function withinSite(href: string): string | null {
  return /^\/(?!\/)/.test(href) ? href : null;
}
