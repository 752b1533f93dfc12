"""HTML by its structure: headings and definitions (`dt` with an id, as in API references) become sections with anchors.

Navigation, scripts, side bars and the like are left out. A page without any structure is given to trafilatura, which
tells an article from what surrounds it; it knows no anchors, which is why it comes second.
"""

import logging
import re
from collections.abc import Iterator, Sequence

from famulus.knowledge.blocks import Block, Content, Section, Unparsable, one_line
from famulus.knowledge.dom import Element, PageError, read_page, reading, strip

_DROPPED = tuple(
    "script style noscript template nav footer svg math iframe object button select textarea title".split()
)
_BESIDE = frozenset(
    """sphinxsidebar sidebar navbar navigation breadcrumb breadcrumbs related toctree-wrapper contents toc footer menu
    md-nav md-sidebar wy-nav-side rst-footer-buttons prev-next-area skip-link headerlink genindex-jumpbox indextable
    genindextable visually-hidden sr-only""".split()
)
"""Classes of what stands beside a page's own text, as the usual documentation builders call it."""
_ROLES_BESIDE = frozenset(("navigation", "search", "banner", "contentinfo", "complementary"))
_ROOTS = (
    "//*[@role='main']",
    "//main",
    "//div[@itemprop='articleBody']",
    "//article",
    "//div[@class='body']",
    "//div[@id='content']",
)
_HEADINGS = {f"h{n}": n for n in range(1, 7)}
_LEAVES = frozenset(("p", "summary", "figcaption", "caption", "address", "dt", "legend"))
_CONTAINERS = frozenset(
    """html body main article section aside div dl dd li ul ol blockquote figure details header center form fieldset
    tr td th""".split()
)
_RICH = "pre|.//table|.//dl|.//h1|.//h2|.//h3|.//h4|.//blockquote"
_LANGUAGE = re.compile(r"(?:highlight|language|lang)-([A-Za-z0-9+#]{1,20})")
_MAX_SIGNATURE = 160
_MAX_DEPTH = 180
_MAX_LINKS = 50
_PLACE = re.compile(r"https?://|(?![a-z][a-z0-9+.\-]*:|#|//)\S", re.IGNORECASE)
"""What a link may lead to, that is a page: of another site at most, none of the same page."""


def parse_html(text: str) -> Content:
    """Sections by heading and definition; raises `Unparsable` where there is no page."""
    try:
        with reading():
            return _content(text)
    except PageError as error:
        raise Unparsable("This is not readable HTML.") from error


def _content(text: str) -> Content:
    tree = read_page(text)
    if tree is None:
        raise Unparsable("There is nothing in this file.")
    name = one_line(" ".join(tree.xpath("//head/title[1]//text()")))
    strip(tree, *_DROPPED)
    for link in tree.xpath("//a[contains(@class, 'headerlink')]"):
        link.text = None  # the sign beside a heading by which its address is copied
    root = _root(tree)
    walker = _Walker()
    walker.walk(root if root is not None else tree, 0)
    walker.flush()
    content = Content(walker.title or name, walker.sections)
    if root is None and len(walker.sections) == 1:
        content = _article(text, content)
    return content


def _root(tree: Element) -> Element | None:
    for path in _ROOTS:
        found = tree.xpath(path)
        if len(found) == 1:
            return found[0]
    return None


def _article(text: str, otherwise: Content) -> Content:
    """What trafilatura takes for the page's own text, if it is worth anything."""
    import trafilatura  # lazy: half a second, and few pages come here

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # it reports every page that is none
    found = trafilatura.extract(text, include_comments=False, include_tables=True, fast=True)
    if found is None or len(found) < 200:
        return otherwise
    blocks = [Block(line) for line in found.split("\n") if line.strip()]
    return Content(otherwise.title, [Section(blocks=blocks)])


class _Walker:
    """Goes through a page once. Text between blocks is collected until the next border and becomes a block itself."""

    def __init__(self) -> None:
        self.title = ""
        self.sections = [Section()]
        self._headings: list[tuple[int, str]] = []
        self._loose: list[str] = []
        self._links: list[str] = []
        self._id = ""

    def walk(self, element: Element, depth: int) -> None:
        """Take in what stands inside an element."""
        if depth > _MAX_DEPTH:
            self._loose.append(_text(element))
            return
        self._loose.append(element.text or "")
        for child in element:
            self._take(child, depth)
            self._loose.append(child.tail or "")

    def flush(self) -> None:
        """Make a block of the text that stood between blocks."""
        if self._loose:
            text, links = " ".join("".join(self._loose).split()), self._links
            self._loose, self._links = [], []
            self._add(text, links=links)

    def _take(self, child: Element, depth: int) -> None:
        tag = child.tag
        if tag in _LEAVES:
            self.flush()
            self._add(_text(child), links=_links(child))
        elif tag in _HEADINGS:
            self.flush()
            self._heading(child, _HEADINGS[tag])
        elif tag == "pre":
            self.flush()
            self._code(child)
        elif tag == "table":
            self.flush()
            self._table(child, depth)
        elif tag in _CONTAINERS:
            self._container(child, depth)
        elif tag == "br":
            self._loose.append("\n")
        else:
            self._links += _led_to(child.xpath("./@href"))
            if len(child):
                self.walk(child, depth + 1)
            else:
                self._loose.append(child.text or "")

    def _container(self, child: Element, depth: int) -> None:
        if _is_beside(child):
            return
        self.flush()
        tag = child.tag
        if tag in ("section", "div", "article"):
            self._id = child.get("id") or self._id
        if tag == "dl":
            self._definitions(child, depth)
        elif tag in ("ul", "ol") and not child.xpath(".//" + _RICH):
            self._add("\n".join(_items(child, 0)), links=_links(child))
        else:
            self.walk(child, depth + 1)
        self.flush()

    def _add(self, text: str, *, whole: bool = False, links: Sequence[str] = ()) -> None:
        if text and not text.isspace():
            self.sections[-1].blocks.append(Block(text, whole, tuple(links[:_MAX_LINKS])))

    def _heading(self, element: Element, level: int) -> None:
        heading = one_line(_text(element))
        anchor = element.get("id") or self._id or next(iter(element.xpath(".//@id|.//a/@name")), "")
        self._id = ""
        if level == 1 and not self.title:
            self.title = heading
            self._open([], anchor)
            return
        self._headings = [entry for entry in self._headings if entry[0] < level] + [(level, heading)]
        self._open([name for _, name in self._headings], anchor)

    def _open(self, path: list[str], anchor: str) -> None:
        self.sections.append(Section(tuple(name for name in path if name), one_line(anchor), []))

    def _definitions(self, element: Element, depth: int) -> None:
        """A list of definitions: one with ids describes an interface, and each entry is a section of its own."""
        outer = self.sections[-1]
        opened = False
        for child in element:
            if child.tag == "dt" and child.get("id"):
                signature = _text(child)
                # Several signatures in a row share one description.
                if not (opened and not self.sections[-1].blocks):
                    self._open([*outer.heading_path, signature[:_MAX_SIGNATURE]], child.get("id", ""))
                    opened = True
                else:
                    self._add(signature)
            elif child.tag == "dt":
                self._add(f"**{_text(child)}**")
            elif child.tag in ("dd", "div"):
                self.walk(child, depth + 1)
                self.flush()
        if opened:
            self._open(list(outer.heading_path), outer.anchor)

    def _code(self, element: Element) -> None:
        code = "".join(element.itertext()).strip("\n").rstrip()
        around = [element, *element.iterancestors()][:3]
        marks = (_LANGUAGE.search(node.get("class", "")) for node in around)
        language = next((mark[1] for mark in marks if mark), "")
        if code:
            self._add(f"```{'' if language in ('default', 'none') else language}\n{code}\n```", whole=True)

    def _table(self, element: Element, depth: int) -> None:
        if _is_beside(element):
            return
        if element.xpath(".//pre|.//table|.//dl|.//h1|.//h2|.//h3"):
            self.walk(element, depth + 1)  # a table that lays out the page
            self.flush()
        else:
            self._add("\n".join(_rows(element)), whole=True, links=_links(element))


def _is_beside(element: Element) -> bool:
    """Whether an element is no part of the page's own text."""
    kind = element.get("class", "")
    beside = kind != "" and not _BESIDE.isdisjoint(kind.split())
    return beside or element.get("role") in _ROLES_BESIDE or element.get("hidden", "no") != "no"


def _text(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def _links(element: Element) -> list[str]:
    """What an element and those inside it lead to."""
    return _led_to(element.xpath(".//a/@href"))


def _led_to(links: Sequence[str]) -> list[str]:
    return [link for link in links if _PLACE.match(link)]


def _rows(table: Element) -> Iterator[str]:
    for row in table.iter("tr"):
        cells = [_text(cell).replace("|", "\\|") for cell in row if cell.tag in ("td", "th")]
        if any(cells):
            yield "| " + " | ".join(cells) + " |"


def _items(element: Element, depth: int) -> Iterator[str]:
    for number, item in enumerate(element.iterchildren("li"), 1):
        mark = f"{number}." if element.tag == "ol" else "-"
        nested = item.xpath(".//ul|.//ol")
        text = _text(item) if not nested else " ".join("".join(_own_text(item)).split())
        yield f"{'  ' * depth}{mark} {text}"
        if depth < 8:
            for inner in item.xpath(
                "./ul|./ol|./*[not(self::ul or self::ol)]/ul|./*[not(self::ul or self::ol)]/ol"
            ):
                yield from _items(inner, depth + 1)


def _own_text(element: Element) -> Iterator[str]:
    """The text of a list item without that of the lists inside it."""
    yield element.text or ""
    for child in element:
        if child.tag not in ("ul", "ol"):
            yield from _own_text(child)
        yield child.tail or ""
