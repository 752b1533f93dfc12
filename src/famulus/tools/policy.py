"""Which calls are made at once, which wait for a person and which are not made: rules by pattern, the strictest wins.

An organization and an assistant each have a list of rules, `pattern → allow | ask | deny`. Of each list the first that
matches counts; where none does, ours that write are allowed, and what leaves the house is asked about when it writes,
or when the model has read what others wrote. What destroys is always asked about, unless it is denied.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Literal

import msgspec

from famulus.tools.contract import Tool

Decision = Literal["allow", "ask", "deny"]
Approver = Literal["asker", "teacher", "organization_admin"]
"""Who may say yes: who asked, or besides them whoever has this role in the organization."""
PATTERN = r"^[A-Za-z0-9_*?-]{1,64}$"
MOST_RULES = 50
_STRICT: dict[Decision, int] = {"allow": 0, "ask": 1, "deny": 2}


class ToolRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What holds for the tools whose names fit a pattern."""

    tools: Annotated[str, msgspec.Meta(pattern=PATTERN)]
    """A name, with `*` for any characters."""
    decision: Decision
    approver: Approver = "asker"
    """Only with `ask`."""


Rules = Annotated[tuple[ToolRule, ...], msgspec.Meta(max_length=MOST_RULES)]


class Verdict(msgspec.Struct, frozen=True):
    """What a call meets."""

    decision: Decision
    approver: Approver = "asker"


def decide(tool: Tool, lists: Sequence[Sequence[ToolRule]], *, tainted: bool) -> Verdict:
    """What a call of this tool meets, by the rules of its organization and its assistant."""
    found = [rule for rules in lists if (rule := _first(rules, tool.name)) is not None]
    verdicts = [Verdict(rule.decision, rule.approver) for rule in found] or [
        Verdict(_unruled(tool, tainted=tainted))
    ]
    if tool.effect == "destroys" or tool.always_asks:
        verdicts.append(Verdict("ask"))
    strictest = max(verdicts, key=lambda verdict: _STRICT[verdict.decision])
    approvers: list[Approver] = [
        each.approver for each in verdicts if each.decision == "ask" and each.approver != "asker"
    ]
    return Verdict(strictest.decision, approvers[0] if approvers else "asker")


def _first(rules: Sequence[ToolRule], name: str) -> ToolRule | None:
    return next((rule for rule in rules if fnmatchcase(name, rule.tools)), None)


def _unruled(tool: Tool, *, tainted: bool) -> Decision:
    if tool.place != "outside":
        return "allow"
    return "ask" if tool.effect != "reads" or tainted else "allow"
