// People from a table or a pasted list: a line each, an address and perhaps a role.

export const MOST_PEOPLE = 1000;
const ROLES: readonly string[] = ["student", "teacher"];

export interface RosterLine {
  /** In what was given, from 1. */
  line: number;
  email: string;
  role?: string;
}

/** Commas, semicolons and tabs part the columns. A first line that has no address may name them: `email`, `role`. */
export function readRoster(text: string): RosterLine[] {
  const rows = text
    .replace(/^\ufeff/, "")
    .split(/\r\n|\r|\n/)
    .map((row, index) => ({ line: index + 1, cells: cellsOf(row) }))
    .filter(({ cells }) => cells.some((cell) => cell !== ""));
  const head = rows[0]?.cells.map((cell) => cell.toLowerCase()) ?? [];
  const named = head.includes("email");
  const emailAt = named ? head.indexOf("email") : null;
  const roleAt = named ? Math.max(head.indexOf("role"), head.indexOf("course_role")) : null;
  return (named ? rows.slice(1) : rows).map(({ line, cells }) => {
    const email = (emailAt === null ? cells.find((cell) => cell.includes("@")) : cells[emailAt]) ?? cells[0] ?? "";
    const said = roleAt === null ? cells.find((cell) => ROLES.includes(cell.toLowerCase())) : cells[roleAt];
    return { line, email, ...(said && { role: said.toLowerCase() }) };
  });
}

function cellsOf(row: string): string[] {
  const parted = row.match(/("(?:[^"]|"")*"|[^,;\t]*)(?:[,;\t]|$)/g) ?? [];
  return parted.map((cell) => {
    const bare = cell.replace(/[,;\t]$/, "").trim();
    return /^".*"$/.test(bare) ? bare.slice(1, -1).replaceAll('""', '"').trim() : bare;
  });
}
