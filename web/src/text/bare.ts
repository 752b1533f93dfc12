// Markdown as one plain line, for places where signs would only be noise.

export function bareText(markdown: string): string {
  return markdown
    .replace(/```[^\n]*/g, " ")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/\s*\[\d{1,3}(?:\s*,\s*\d{1,3})*\]/g, "")
    .replace(/^\s{0,3}(?:#{1,6}|>|[-*+]|\d+\.)\s+/gm, "")
    // A line of a quote that the server has already joined to the one before.
    .replace(/([:.!?…]) > /g, "$1 ")
    .replace(/(\*\*|__|[*`~])/g, "")
    .replace(/\s+/g, " ")
    .trim();
}
