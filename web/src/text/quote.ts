// Finds a quote in rendered text and marks it, across tags and however the white space was set.

interface Place {
  node: Text;
  offset: number;
}

/** Wraps the quote in <mark>; false when the text does not contain it. */
export function markQuote(root: HTMLElement, quote: string): boolean {
  const { letters, places } = lettersOf(root);
  const wanted = skeleton(quote);
  const start = wanted === "" ? -1 : letters.indexOf(wanted);
  if (start < 0) return false;
  const covered = new Map<Text, [number, number]>();
  for (const { node, offset } of places.slice(start, start + wanted.length)) {
    const range = covered.get(node);
    covered.set(node, [range?.[0] ?? offset, offset + 1]);
  }
  const nodes = [...covered.keys()];
  for (const [node, [from, to]] of covered) {
    // Between the first and the last text the mark is unbroken, spaces and stops included.
    wrap(node, node === nodes[0] ? from : 0, node === nodes.at(-1) ? to : node.length);
  }
  return true;
}

/** Letters and digits only: Markdown signs, white space and punctuation differ between source and page. */
function skeleton(text: string): string {
  return [...text.matchAll(/[\p{L}\p{N}]/gu)].map((match) => match[0].toLowerCase()).join("");
}

function lettersOf(root: HTMLElement): { letters: string; places: Place[] } {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  let letters = "";
  const places: Place[] = [];
  while (walker.nextNode()) {
    const node = walker.currentNode as Text;
    if (node.parentElement?.closest("figcaption, button")) continue;
    for (const match of node.data.matchAll(/[\p{L}\p{N}]/gu)) {
      const lower = match[0].toLowerCase();
      letters += lower;
      for (let i = 0; i < lower.length; i++) places.push({ node, offset: match.index });
    }
  }
  return { letters, places };
}

function wrap(node: Text, from: number, to: number): void {
  const inside = node.splitText(from);
  const rest = inside.splitText(to - from);
  // A closing stop or bracket belongs to the quote that it ends.
  const tail = /^[.!?)\]”"»]+/.exec(rest.data)?.[0] ?? "";
  if (tail) {
    inside.data += tail;
    rest.data = rest.data.slice(tail.length);
  }
  const mark = document.createElement("mark");
  mark.dataset.testid = "passage-quote";
  inside.replaceWith(mark);
  mark.append(inside);
}
