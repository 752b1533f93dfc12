// Markdown of models and lessons to safe HTML. Three walls: an allowlist of tags and attributes,
// links cut to http(s) and resolved paths, images never loaded. Only after these are our own buttons added,
// so that no text can forge one.
import DOMPurify from "dompurify";
import { Marked, type TokenizerAndRendererExtension, type Tokens } from "marked";
import { highlight, type Piece } from "./highlight";

export interface RenderOptions {
  /** Number and title of what may become a citation chip; any other `[n]` stays text. */
  cited?: ReadonlyMap<number, string>;
  /** Where a link leads that is not http(s); null takes the link away. */
  resolve?: (href: string) => string | null;
}

const ALLOWED_TAGS = [
  "a",
  "b",
  "blockquote",
  "br",
  "code",
  "dd",
  "del",
  "details",
  "dl",
  "dt",
  "em",
  "h1",
  "h2",
  "h3",
  "h4",
  "h5",
  "h6",
  "hr",
  "i",
  "img",
  "input",
  "ins",
  "kbd",
  "li",
  "mark",
  "ol",
  "p",
  "pre",
  "s",
  "samp",
  "small",
  "strong",
  "sub",
  "summary",
  "sup",
  "table",
  "tbody",
  "td",
  "tfoot",
  "th",
  "thead",
  "tr",
  "u",
  "ul",
  "var",
];
const ALLOWED_ATTR = ["href", "src", "alt", "title", "align", "start", "colspan", "rowspan", "checked", "type"];

// Private-use characters fence a citation on its way through the sanitiser.
const OPEN = "\uE000";
const CLOSE = "\uE001";
const CITATION = /\uE000(\d{1,3})\uE001/;
const CITED_WORD = /([^\s\uE000\uE001]{0,24}\s?(?:\uE000\d{1,3}\uE001\s?)*\uE000\d{1,3}\uE001[.,;:!?)\]]{0,3})/;

const citation: TokenizerAndRendererExtension = {
  name: "citation",
  level: "inline",
  start: (source) => source.match(/\[\d/)?.index,
  tokenizer(source): Tokens.Generic | undefined {
    const match = /^\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\](?!\()/.exec(source);
    if (!match) return undefined;
    return { type: "citation", raw: match[0], numbers: match[1]!.split(",").map(Number) };
  },
  renderer: (token) => (token.numbers as number[]).map((n) => `${OPEN}${n}${CLOSE}`).join(""),
};

/**
 * Raw HTML loses scripts, styles and most attributes before any parser of the browser meets it.
 * What only looks like a tag, such as `<package name>`, was meant to be read and stays text.
 */
function simpleTags(html: string): string {
  return html
    .replace(/<!--[\s\S]*?(?:-->|$)/g, "")
    .replace(/<(script|style|iframe|object|svg|math|template|noscript)\b[\s\S]*?(?:<\/\1\s*>|$)/gi, "")
    .replace(/<(\/?)([a-z][a-z0-9-]*)\b([^<>]*)>|</gi, (whole, slash?: string, name = "", rest = "") => {
      const tag = String(name).toLowerCase();
      if (ALLOWED_TAGS.includes(tag)) return `<${slash}${tag}${keptAttributes(rest)}>`;
      return tag !== "" && isElement(tag) ? "" : whole.replace("<", "&lt;");
    });
}

function isElement(tag: string): boolean {
  return !tag.includes("-") && !(document.createElement(tag) instanceof HTMLUnknownElement);
}

function keptAttributes(text: string): string {
  const kept = text.matchAll(/(?:^|\s)(href|src|alt|title|align|colspan|rowspan)\s*=\s*("[^"<>]*"|'[^'<>]*')/gi);
  return [...kept].map((match) => ` ${match[1]}=${match[2]}`).join("");
}

const marked = new Marked({
  gfm: true,
  async: false,
  extensions: [citation],
  renderer: { html: (token) => simpleTags(token.text) },
});

export function renderMarkdown(source: string, options: RenderOptions = {}): DocumentFragment {
  const html = marked.parse(source.replace(/[\uE000\uE001]/g, "")) as string;
  const fragment = DOMPurify.sanitize(html, {
    ALLOWED_TAGS,
    ALLOWED_ATTR: [...ALLOWED_ATTR, "class"],
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
  dropClasses(fragment);
  mendImages(fragment);
  mendLinks(fragment, options.resolve ?? (() => null));
  mendInputs(fragment);
  placeChips(fragment, options.cited ?? new Map());
  wrapTables(fragment);
  wrapCode(fragment);
  quietAsides(fragment);
  return fragment;
}

export function renderHtml(source: string, options: RenderOptions = {}): string {
  const holder = document.createElement("div");
  holder.append(renderMarkdown(source, options));
  return holder.innerHTML;
}

/** Only the language of code survives: a foreign class could dress text up as a part of the app. */
function dropClasses(root: DocumentFragment): void {
  for (const element of root.querySelectorAll("[class]")) {
    const lang = element.tagName === "CODE" ? /^language-[\w+#-]+$/.exec(element.className) : null;
    if (!lang) element.removeAttribute("class");
  }
}

/** An image would call a stranger's server and could carry what was said there: it becomes its words. */
function mendImages(root: DocumentFragment): void {
  for (const image of root.querySelectorAll("img")) {
    const src = image.getAttribute("src") ?? "";
    const words = image.getAttribute("alt") || "Image";
    const link = document.createElement(isWeb(src) && !image.closest("a") ? "a" : "span");
    if (link instanceof HTMLAnchorElement) link.href = src;
    link.className = "image-words";
    link.textContent = words;
    image.replaceWith(link);
  }
}

function mendLinks(root: DocumentFragment, resolve: (href: string) => string | null): void {
  for (const link of root.querySelectorAll("a")) {
    const href = link.getAttribute("href") ?? "";
    if (isWeb(href)) {
      link.target = "_blank";
      link.rel = "noopener noreferrer";
      continue;
    }
    const target = /^[a-z][a-z0-9+.-]*:|^\/\//i.test(href.trim()) ? null : resolve(href);
    if (target === null) link.replaceWith(...link.childNodes);
    else link.setAttribute("href", target);
  }
}

function isWeb(href: string): boolean {
  return /^https?:\/\//i.test(href.trim());
}

function mendInputs(root: DocumentFragment): void {
  for (const input of root.querySelectorAll("input")) {
    if (input.type === "checkbox") input.disabled = true;
    else input.remove();
  }
}

function placeChips(root: DocumentFragment, cited: ReadonlyMap<number, string>): void {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  while (walker.nextNode()) {
    const text = walker.currentNode as Text;
    if (text.data.includes(OPEN)) texts.push(text);
  }
  for (const text of texts) {
    text.replaceWith(...text.data.split(CITED_WORD).flatMap((piece) => citedPiece(piece, cited)));
  }
}

/** The word, its chips and its full stop stay on one line. */
function citedPiece(piece: string, cited: ReadonlyMap<number, string>): Node[] {
  if (!piece.includes(OPEN)) return piece === "" ? [] : [document.createTextNode(piece)];
  const group = document.createElement("span");
  group.className = "cited";
  for (const [index, part] of piece.split(CITATION).entries()) {
    group.append(index % 2 ? chip(Number(part), cited) : part);
  }
  return [group];
}

function chip(number: number, cited: ReadonlyMap<number, string>): Node {
  if (!cited.has(number)) return document.createTextNode(`[${number}]`);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "cite";
  button.dataset.cite = String(number);
  button.dataset.testid = "citation-chip";
  button.setAttribute("aria-label", `Source ${number}: ${cited.get(number)}`);
  button.textContent = String(number);
  return button;
}

/** A paragraph that is all emphasis is a remark beside the matter. */
function quietAsides(root: DocumentFragment): void {
  for (const paragraph of root.querySelectorAll("p")) {
    if (paragraph.childNodes.length === 1 && paragraph.firstElementChild?.tagName === "EM") paragraph.className = "aside";
  }
}

function wrapTables(root: DocumentFragment): void {
  for (const table of root.querySelectorAll("table")) {
    const wrap = document.createElement("div");
    wrap.className = "table-wrap";
    wrap.tabIndex = 0;
    wrap.setAttribute("role", "group");
    wrap.setAttribute("aria-label", "Table");
    table.replaceWith(wrap);
    wrap.append(table);
  }
}

/** Code inside lists and quotes; a fenced block of its own is drawn by a component that looks the same. */
function wrapCode(root: DocumentFragment): void {
  for (const pre of root.querySelectorAll("pre")) {
    const lang = /language-([\w+#-]+)/.exec(pre.firstElementChild?.className ?? "")?.[1] ?? "";
    const figure = document.createElement("figure");
    figure.className = "code";
    const head = document.createElement("figcaption");
    const name = document.createElement("span");
    name.textContent = lang || "text";
    const copy = document.createElement("button");
    copy.type = "button";
    copy.className = "code-copy";
    copy.dataset.copy = "";
    copy.textContent = "Copy";
    head.append(name, copy);
    pre.replaceWith(figure);
    pre.tabIndex = 0;
    figure.append(head, pre);
    const code = pre.firstElementChild;
    if (code) code.replaceChildren(...highlight(code.textContent ?? "", lang).map(colour));
  }
}

function colour({ kind, text }: Piece): Node {
  if (!kind) return document.createTextNode(text);
  const span = document.createElement("span");
  span.className = `hl-${kind}`;
  span.textContent = text;
  return span;
}
