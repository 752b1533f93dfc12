// Text of others that somebody has to judge: never markup, and no character of it unseen.
import { visible, visibleJson, WRITTEN_OUT } from "../text/visible";

/** So long a value scrolls, and has to be reachable by keys for that. */
const LONG = 400;
const LONG_LINES = 10;

export function Exact({ text }: { text: string }) {
  const pieces = visible(text).split(WRITTEN_OUT);
  return (
    <>
      {pieces.map((piece, index) =>
        index % 2 === 1 ? (
          <mark key={index} class="unseen" title="A character that does not show">
            {piece}
          </mark>
        ) : (
          piece
        ),
      )}
    </>
  );
}

/** A value of JSON: text as it reads, anything else as JSON. */
export function Value({ value }: { value: unknown }) {
  if (value === null || value === undefined) return <em class="quiet">nothing</em>;
  if (value === "") return <em class="quiet">empty</em>;
  if (typeof value !== "string") return <JsonText json={jsonOf(value)} />;
  return (
    <>
      <div class="exact" dir="auto" {...scrolls(value)}>
        <Exact text={value} />
      </div>
      <Length text={value} />
    </>
  );
}

export function JsonText({ json }: { json: string }) {
  return (
    <>
      <pre class="exact" dir="ltr" {...scrolls(json)}>
        {visibleJson(json)}
      </pre>
      <Length text={json} />
    </>
  );
}

/** Where a line ends at the lower edge, nothing else would tell that more follows. */
function Length({ text }: { text: string }) {
  if (!isLong(text)) return null;
  return <p class="exact-length">{text.length.toLocaleString()} characters; scroll to read them all.</p>;
}

function scrolls(text: string) {
  return isLong(text) ? { tabIndex: 0, "data-long": true } : {};
}

function isLong(text: string): boolean {
  return text.length > LONG || text.split("\n").length > LONG_LINES;
}

function jsonOf(value: unknown): string {
  const line = JSON.stringify(value);
  return line.length <= 60 ? line : JSON.stringify(value, null, 2);
}
