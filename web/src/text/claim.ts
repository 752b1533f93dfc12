// Which sentence of a passage an answer leans on: the one that shares most words with the statement before the chip.

const BLOCKS = "p, li, td, th, blockquote, h1, h2, h3, h4, h5, h6, dd, dt";
const SENTENCE_END = /(?<=[.!?…]["'”’)]?)\s+(?=[\p{Lu}\p{N}"'“‘(])/u;
/** How many words must be shared, and which part of the statement's words they must be. */
const ENOUGH_WORDS = 3;
const ENOUGH_SHARE = 0.4;

/** The statement that a chip closes: the last sentence before it in its block, without other chips. */
export function claimBefore(chip: HTMLElement): string {
  const block = chip.closest(BLOCKS);
  if (!block) return "";
  const range = document.createRange();
  range.setStart(block, 0);
  range.setEndBefore(chip);
  const before = range.cloneContents();
  for (const other of before.querySelectorAll("[data-cite]")) other.remove();
  return (before.textContent ?? "").trim().split(SENTENCE_END).at(-1) ?? "";
}

/** The sentence in `root` that says most of the claim; null when none says enough of it. */
export function sentenceFor(claim: string, root: HTMLElement): string | null {
  const wanted = wordsOf(claim);
  let best: string | null = null;
  let most = Math.max(ENOUGH_WORDS, wanted.size * ENOUGH_SHARE) - 0.5;
  for (const block of root.querySelectorAll(BLOCKS)) {
    if (block.querySelector(BLOCKS)) continue;
    for (const sentence of (block.textContent ?? "").split(SENTENCE_END)) {
      const shared = [...wordsOf(sentence)].filter((word) => wanted.has(word)).length;
      // Between two that say as much, the shorter one says it more plainly.
      const score = shared - Math.min(0.4, sentence.length / 2000);
      if (score > most) [best, most] = [sentence, score];
    }
  }
  return best;
}

function wordsOf(text: string): Set<string> {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return new Set(words.filter((word) => word.length > 3 || /\d/.test(word)));
}
