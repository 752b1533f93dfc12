"""How tools put what they found and did into words and small values."""

from collections.abc import Mapping, Sequence

from famulus.tools.contract import Done

SHOWN = 50
"""Rows of one list; who wants others narrows it down."""
SHORT = 300
"""Characters of a description in a list."""


def counted(number: int, thing: str) -> str:
    """`no courses`, `1 course`, `3 courses`."""
    return f"{number or 'no'} {thing}{'' if number == 1 else 's'}"


def listed(names: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join([*([", ".join(names[:-1])] if names[1:] else []), *names[-1:]])


def quoted(name: str) -> str:
    """A name as it stands in a sentence."""
    return f"“{name}”"


def brief(text: str, length: int = SHORT) -> str:
    """The beginning of a text, if it is long."""
    return text if len(text) <= length else f"{text[:length].rstrip()}…"


def listing(
    rows: Sequence[Mapping[str, object]],
    thing: str,
    *,
    more: bool,
    where: str = "",
    next: tuple[str, ...] = (),
) -> Done:
    """A list as a result: what there is, how many, and whether that is all."""
    if more:
        said = f"Here are the first {counted(len(rows), thing)}{where}; there are more, so narrow it down."
    else:
        said = f"There {'is' if len(rows) == 1 else 'are'} {counted(len(rows), thing)}{where}."
    return Done(said, list(rows), next=next)
