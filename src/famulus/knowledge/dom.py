"""lxml as this room uses it, with types: lxml itself brings none. Nothing else here imports it.

Pages are read in processes of their own, so the server itself never loads it.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Protocol, cast


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


class PageError(Exception):
    """This is no page that can be read."""


@contextmanager
def reading() -> Generator[None]:
    """Whatever lxml has to complain of inside the block is a `PageError`."""
    try:
        yield
    except _etree().LxmlError as error:
        raise PageError(str(error)) from error


def read_page(text: str) -> Element | None:
    """The root of a page, however badly it is written; None for one without any."""
    etree = _etree()
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    return etree.fromstring(text.encode("utf-8", errors="replace"), parser)


def strip(root: Element, *tags: str) -> None:
    """Remove all elements with these names, leaving the text behind them."""
    _etree().strip_elements(root, *tags, with_tail=False)


@cache
def _etree() -> Any:
    # lazy: megabytes that only a reading process needs
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType] – C, no stubs

    return cast(Any, etree)
