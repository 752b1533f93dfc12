"""Finding people in a long list by how their name or their address begins, at the price of a page."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CompoundSelect, Select, select

from famulus.identity.directory import with_address
from famulus.kernel.paging import Key, Paging, begins_with, portion


def ids_beginning(
    beginning: str, among: Select[str], name: Key, *, by: Sequence[Key], paging: Paging, descending: bool
) -> CompoundSelect[Any]:
    """Ids of those `among` the list whose `name` or address begins so; of the names only a page.

    Half a school may have a name in N: the page that is asked for is taken from the index of names, and no more.
    """
    named = portion(among.where(begins_with(name, beginning)), by=by, paging=paging, descending=descending)
    return select(named.subquery()).union(with_address(beginning))
