"""How much a model thinks before it answers, in the words of the field."""

from typing import Literal

Effort = Literal["none", "minimal", "low", "medium", "high"]
EFFORTS: tuple[Effort, ...] = ("none", "minimal", "low", "medium", "high")
"""From the least to the most."""


def at_most(wanted: Effort | None, bound: Effort | None) -> Effort | None:
    """What is wanted, but no more than the bound; where one of them is None, the other."""
    if wanted is None or bound is None:
        return wanted or bound
    return wanted if EFFORTS.index(wanted) <= EFFORTS.index(bound) else bound
