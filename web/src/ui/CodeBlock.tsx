// A fenced block of code with its language and a way to copy it exactly.
import { useCopied } from "./dom";

interface Props {
  lang: string;
  text: string;
  closed: boolean;
}

export function CodeBlock({ lang, text, closed }: Props) {
  const [copied, copy] = useCopied();
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
      <pre tabIndex={0} aria-label={lang ? `Code, ${lang}` : "Code"}><code>{text}</code></pre>
    </figure>
  );
}
