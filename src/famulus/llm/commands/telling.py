"""What became of a command, in words: the tool's own sentence, what it found, and what could come next. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, cast

import msgspec

from famulus.llm.commands.candidates import plain_markdown, question
from famulus.llm.commands.dates import spoken
from famulus.llm.commands.form import Command
from famulus.llm.commands.forms import COMMANDS
from famulus.llm.protocol import ChatMessage, ToolCall

MOST_ROWS = 50
MOST_TEXT = 300
DEEPEST = 3
NO_COMMANDS = "There is nothing that I may do for you here; ask about the course material instead."
CAN_DO = "Besides quoting course material, I understand commands such as these, in English:"
TOO_LONG = "There is more than I can show."
_LABELS = ("title", "name", "organization", "who", "email", "what", "action")
_HIDDEN = frozenset(("description", "done", "due_at", "text", "url", "path", "section"))
_FOR_MODELS = ("Ask ", "Call ", "Mend ", "Write ")
"""How sentences of a failure begin that tell a model what to do next."""


def told(calls: Sequence[ToolCall], results: Sequence[ChatMessage]) -> str:
    """What to say after the calls of this turn."""
    by_id = {call.id: call for call in calls}
    return "\n\n".join(_outcome(by_id.get(each.tool_call_id or ""), each.text) for each in results)


def help_text(offered: frozenset[str]) -> str:
    """Examples of what may be asked for, with these tools."""
    parts = [_examples(subject, commands, offered) for subject, commands in COMMANDS.items()]
    shown = [part for part in parts if part]
    return "\n\n".join([CAN_DO, *shown]) if shown else NO_COMMANDS


def _examples(subject: str, commands: Sequence[Command], offered: frozenset[str]) -> str:
    rows = [f"- {command.example}" for command in commands if command.tool in offered]
    return f"**{subject}**\n\n" + "\n".join(rows) if rows else ""


def _outcome(call: ToolCall | None, result: str) -> str:
    found = _read(result)
    if found is None:
        return _failure(call, result)
    next = [plain_markdown(str(each)) for each in _items(found.get("next"))]
    also = [f"You could also: {', '.join(f'“{each}”' for each in next)}."] if next else []
    return "\n\n".join([plain_markdown(str(found["said"])), *_shown(call, found.get("data")), *also])


def _read(result: str) -> dict[str, Any] | None:
    """A result as `runs.calls` makes it; what was cut keeps its sentence."""
    try:
        found = msgspec.json.decode(result)
    except (msgspec.DecodeError, RecursionError):
        found = _sentence(result)
    return cast("dict[str, Any]", found) if isinstance(found, dict) and "said" in found else None


def _sentence(result: str) -> dict[str, str] | None:
    start = '{"said":'
    try:
        said, _ = json.JSONDecoder().raw_decode(result, len(start)) if result.startswith(start) else ("", 0)
    except ValueError:
        return None
    return {"said": f"{said} {TOO_LONG}"} if said else None


def _failure(call: ToolCall | None, result: str) -> str:
    """Why nothing was done; where a name may mean several things, the question which."""
    if call is not None and (asked := question(result, _arguments(call))):
        return asked
    text = result.replace("The person has", "You have").replace("The person said no", "The answer was no")
    sentences = text.replace("\n", " ").split(". ")
    kept = [each for each in sentences if each and not each.startswith(_FOR_MODELS)] or [
        "It could not be done"
    ]
    return f"{plain_markdown('. '.join(kept)).rstrip('.')}."


def _arguments(call: ToolCall) -> Mapping[str, object]:
    try:
        return msgspec.json.decode(call.arguments, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        return {}


def _shown(call: ToolCall | None, data: object) -> Iterator[str]:
    """What a tool that only reads has found. What others did is in their sentence."""
    if isinstance(data, list):
        rows = cast("list[object]", data)
        if rows:
            yield "\n".join(_row(each) for each in rows[:MOST_ROWS])
        if len(rows) > MOST_ROWS:
            yield TOO_LONG
    elif isinstance(data, dict) and call is not None and call.name.startswith(("get_", "organization_")):
        yield "\n".join(_facts(cast("dict[str, object]", data)))


def _row(row: object) -> str:
    """One line of a list; a text that goes with it stands below."""
    if not isinstance(row, dict):
        return f"- {plain_markdown(str(row))}"
    facts = cast("dict[str, object]", row)
    label = next((name for name in _LABELS if facts.get(name)), None)
    shown = plain_markdown(str(facts[label])) if label else ""
    more = [*_times(facts), *_details(facts, label)]
    mark = "✓ " if facts.get("done") is True else ""
    line = f"- {mark}{shown or ', '.join(more)}" + (f" ({', '.join(more)})" if shown and more else "")
    section, text = facts.get("section"), facts.get("text")
    below = [f"{section}: " if section else "", _short(str(text))] if text else []
    return line + (f"\n  > {plain_markdown(''.join(below))}" if below else "")


def _times(facts: Mapping[str, object]) -> Iterator[str]:
    if due := facts.get("due_at"):
        yield f"due {_day(str(due))}"


def _details(facts: Mapping[str, object], label: str | None) -> Iterator[str]:
    """The other small facts of a row."""
    for name, value in facts.items():
        if name in _HIDDEN or name == label or _is_id(name) or (not value and value is not False):
            continue
        if isinstance(value, bool):
            if name == "published":
                yield from () if value else ("draft",)
            elif value:
                yield _words(name)
        elif isinstance(value, (str, int, float)):
            yield f"{_words(name)}: {plain_markdown(_short(_moment(name, value)))}"


def _facts(facts: Mapping[str, object], depth: int = 0) -> Iterator[str]:
    """A value with its parts, as a list in a list."""
    for name, value in facts.items():
        items = _items(value)
        start = f"{'  ' * depth}- {_words(name).capitalize()}:"
        if value is None or _is_id(name):
            continue
        if isinstance(value, dict):
            yield start
            if depth < DEEPEST:
                yield from _facts(cast("dict[str, object]", value), depth + 1)
        elif items:
            yield start
            yield from (f"{'  ' * (depth + 1)}{_row(each)}" for each in items[:MOST_ROWS])
        else:
            yield f"{start} {plain_markdown(_short(_moment(name, value))) or 'none'}"


def _is_id(name: str) -> bool:
    return name == "id" or name.endswith("_id")


def _moment(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and (name == "at" or name.endswith("_at")):
        return _day(value)
    return "" if value == [] else str(value)


def _day(moment: str) -> str:
    try:
        return spoken(date.fromisoformat(moment[:10]))
    except ValueError:
        return moment


def _short(text: str) -> str:
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT].rstrip()} …"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _items(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []
