// A small highlighter: comments, strings, numbers and keywords, which is most of what the eye looks for.
// A language that it does not know stays plain; nothing is ever loaded for it.

export interface Piece {
  kind: "comment" | "string" | "number" | "keyword" | null;
  text: string;
}

const TOO_LONG = 20_000;

const C_LIKE =
  "break case catch class const continue default delete do else enum export extends false final finally for function if implements import in instanceof interface let new null private protected public return static super switch this throw true try typeof var void while yield async await auto bool char double float int long namespace nullptr override struct template typename unsigned using virtual type readonly fn impl mut pub match use func package go defer range";
const PYTHON =
  "and as assert async await break class continue def del elif else except False finally for from global if import in is lambda match None nonlocal not or pass raise return self True try while with yield";
const SHELL = "case do done elif else esac export fi for function if in local return then until while source";
const SQL =
  "select from where and or not insert into values update set delete create table alter drop join left right inner outer on group by order having limit as is null distinct union primary key";

const HASH = String.raw`#[^\n]*`;
const SLASHES = String.raw`\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)`;
const DASHES = String.raw`--[^\n]*`;
const STRINGS = String.raw`"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?`;
const TRIPLE = String.raw`"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)`;
const BACKTICK = "`(?:\\\\.|[^`\\\\])*`?";

interface Grammar {
  comment: string;
  string: string;
  words: Set<string>;
}

function grammar(comment: string, string: string, words: string): Grammar {
  return { comment, string, words: new Set(words.split(" ")) };
}

const FAMILIES: [names: string, make: () => Grammar][] = [
  [
    "c cpp c++ cc h hpp java js javascript jsx ts typescript tsx json go rust rs cs csharp kotlin swift php",
    () => grammar(SLASHES, `${STRINGS}|${BACKTICK}`, C_LIKE),
  ],
  ["py python", () => grammar(HASH, `${TRIPLE}|${STRINGS}`, PYTHON)],
  ["sh bash shell console zsh dockerfile cmake makefile", () => grammar(HASH, STRINGS, SHELL)],
  ["yaml yml toml ini", () => grammar(HASH, STRINGS, "true false null")],
  ["sql", () => grammar(DASHES, STRINGS, SQL)],
];

export function highlight(text: string, lang: string): Piece[] {
  const family = FAMILIES.find(([names]) => names.split(" ").includes(lang.toLowerCase()));
  if (!family || text.length > TOO_LONG) return [{ kind: null, text }];
  const { comment, string, words } = family[1]();
  const pattern = new RegExp(`(${comment})|(${string})|(\\b\\d[\\w.]*)|([A-Za-z_]\\w*)`, "g");
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    const kind = kindOf(match, words);
    if (kind === null) continue;
    if (match.index > end) pieces.push({ kind: null, text: text.slice(end, match.index) });
    pieces.push({ kind, text: match[0] });
    end = match.index + match[0].length;
  }
  if (end < text.length) pieces.push({ kind: null, text: text.slice(end) });
  return pieces;
}

function kindOf(match: RegExpExecArray, words: Set<string>): Piece["kind"] {
  if (match[1] !== undefined) return "comment";
  if (match[2] !== undefined) return "string";
  if (match[3] !== undefined) return "number";
  // SQL is written in either case; everywhere else the case is part of the word.
  const word = words.has("select") ? match[0].toLowerCase() : match[0];
  return words.has(word) ? "keyword" : null;
}
