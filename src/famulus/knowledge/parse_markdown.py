"""Markdown by its headings. A block's text is its own source, so that lists, tables and code stay what they are."""

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from famulus.knowledge.blocks import Block, Content, Section, Slugs, one_line

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FRONT_TITLE = re.compile(r"^title:[ \t]*(.+?)[ \t]*$", re.MULTILINE)
# Bounded throughout: a file of nothing but brackets shall not take an hour.
_WORDS = r"(?:[^\[\]]|\[[^\[\]]{0,200}\]){0,500}"
_RELATIVE_LINK = re.compile(
    rf"!?\[({_WORDS})\]\(((?!https?://)[^()\s]{{0,1000}})(?:\s+\"[^\"]{{0,300}}\")?\)"
)
_IMAGE = re.compile(r"!\[([^\[\]]{0,500})\]\([^()]{0,1000}\)")
_TAG = re.compile(r"<!--.*?(?:-->|\Z)|</?[A-Za-z][^<>]*>", re.DOTALL)


def parse_markdown(text: str) -> Content:
    """Sections by heading; the first top heading is the title."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    title, text = _front_matter(text)
    lines = text.split("\n")
    content = Content(title, [Section()])
    slugs = Slugs()
    stack: list[tuple[int, str]] = []
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    for token, following in _top_level(tokens):
        if token.type != "heading_open":
            content.sections[-1].blocks.extend(_block(token, lines))
            continue
        heading = one_line(_plain(following))
        level, anchor = int(token.tag[1]), slugs.of(heading)
        if level == 1 and not stack and not content.title:
            content.title = heading
        stack = [entry for entry in stack if entry[0] < level] + [(level, heading)]
        path = [name for _, name in stack if name]
        content.sections.append(Section(tuple(path[path[:1] == [content.title] :]), anchor, []))
    return content


def _front_matter(text: str) -> tuple[str, str]:
    match = _FRONT_MATTER.match(text)
    if match is None:
        return "", text
    title = _FRONT_TITLE.search(match[1])
    return one_line(title[1].strip("\"'")) if title else "", text[match.end() :]


def _top_level(tokens: list[Token]) -> Iterator[tuple[Token, Token | None]]:
    """Each outermost block's first token, and the one after it (a heading's words)."""
    for at, token in enumerate(tokens):
        if token.level == 0 and token.nesting >= 0:
            yield token, tokens[at + 1] if at + 1 < len(tokens) else None


def _plain(inline: Token | None) -> str:
    """The words of a heading without its marks."""
    children = inline.children if inline is not None else None
    shown = ("text", "code_inline", "image", "text_special")
    return "".join(
        child.content if child.type in shown else " " * (child.type == "softbreak")
        for child in children or ()
    )


def _block(token: Token, lines: list[str]) -> list[Block]:
    if token.type == "hr" or token.map is None:
        return []
    source = "\n".join(lines[token.map[0] : token.map[1]]).strip("\n")
    if token.type == "fence":
        return [Block(f"```{one_line(token.info, 40)}\n{token.content.rstrip()}\n```", whole=True)]
    if token.type == "code_block":
        return [Block(f"```\n{token.content.rstrip()}\n```", whole=True)]
    if token.type == "html_block":
        source = _TAG.sub("", source)
    text, links = _unlinked(source)
    return [Block(text, whole=token.type == "table_open", links=links)]


def _unlinked(source: str) -> tuple[str, tuple[str, ...]]:
    """Links to places that make no sense outside the page are their words only; so is every image. And those places."""
    if "](" not in source or "```" in source:
        return source, ()
    links: list[str] = []

    def words(match: re.Match[str]) -> str:
        links.append(match[2])
        return match[1]

    return _RELATIVE_LINK.sub(words, _IMAGE.sub(r"\1", source)), tuple(links)
