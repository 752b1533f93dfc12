"""lxml as this room uses it, with types: lxml itself brings none. Nothing else here imports it."""

from collections.abc import Iterator
from typing import Any, Protocol, cast

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType] – C, no stubs

_etree = cast(Any, etree)


class Element(Protocol):
    """A node of a page, comments aside."""

    tag: str
    text: str | None
    tail: str | None

    def get(self, key: str, default: str = "", /) -> str: ...
    def keys(self) -> list[str]: ...
    def xpath(self, path: str, /) -> list[Any]: ...
    def iter(self, *tags: str) -> Iterator["Element"]: ...
    def iterchildren(self, *tags: str) -> Iterator["Element"]: ...
    def iterancestors(self) -> Iterator["Element"]: ...
    def itertext(self) -> Iterator[str]: ...
    def __iter__(self) -> Iterator["Element"]: ...
    def __len__(self) -> int: ...


PageError: type[Exception] = _etree.LxmlError
"""Anything lxml has to complain of."""


def read_page(text: str) -> Element | None:
    """The root of a page, however badly it is written; None for one without any. Raises `PageError`."""
    parser = _etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    return _etree.fromstring(text.encode("utf-8", errors="replace"), parser)


def strip(root: Element, *tags: str) -> None:
    """Remove all elements with these names, leaving the text behind them."""
    _etree.strip_elements(root, *tags, with_tail=False)
