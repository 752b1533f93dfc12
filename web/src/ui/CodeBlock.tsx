// A fenced block of code with its language and a way to copy it exactly.
import { useMemo } from "preact/hooks";
import { highlight, type Piece } from "../text/highlight";
import { useCopied } from "./dom";

interface Props {
  lang: string;
  text: string;
  closed: boolean;
}

export function CodeBlock({ lang, text, closed }: Props) {
  const [copied, copy] = useCopied();
  const pieces = useMemo(() => highlight(text, lang), [text, lang]);
  return (
    <figure class="code" data-testid="code-block">
      <figcaption>
        <span>{lang || "text"}</span>
        {closed && (
          <button type="button" class="code-copy" onClick={() => copy(text)} data-testid="copy-code">
            {copied ? "Copied" : "Copy"}
          </button>
        )}
      </figcaption>
      <pre tabIndex={0} aria-label={lang ? `Code, ${lang}` : "Code"}>
        <code>{pieces.map(piece)}</code>
      </pre>
    </figure>
  );
}

function piece({ kind, text }: Piece, index: number) {
  return kind ? (
    <span key={index} class={`hl-${kind}`}>
      {text}
    </span>
  ) : (
    text
  );
}
