"""Parsing a script: the Markdown file of replies that the scripted model plays.

    First reply, in any Markdown.
    --- message
    @when \\bweather\\b
    @tool get_weather {"city": "Bonn"}
    @rate 20
    It rains.

Replies are parted by a line `--- message`. Each may begin with directives, one a line; what follows them is
its text, without the blank lines around it.

    @when REGEX        answer only when the last user message matches, in any case; not part of the cycle
    @tool NAME {json}  call this tool first; several lines are several calls, one step each; `${name}` in a text of the
                       arguments stands for the group `(?P<name>…)` of `@when`
    @rate N            N words a second
    @delay SECONDS     wait before the first word
    @think TEXT        think this aloud before anything else
    @cut REASON        stop after the last word before the end, for `length` or `content_filter`
    @fail STATUS       fail as a provider does that answers with this HTTP status
"""

import re
from dataclasses import dataclass, field, replace

import msgspec

from famulus.kernel.errors import ConfigurationError
from famulus.llm.protocol import EndReason

_PART = re.compile(r"^--- message[ \t]*$", re.MULTILINE)
_DIRECTIVE = re.compile(r"@(when|tool|rate|delay|think|cut|fail)(?=\s|$)[ \t]*(.*)")
LONGEST_DELAY = 3600.0


@dataclass(frozen=True, slots=True)
class ScriptedCall:
    """A tool call as the script writes it."""

    name: str
    arguments: str
    """JSON text of an object."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of the script."""

    text: str = ""
    when: re.Pattern[str] | None = None
    calls: tuple[ScriptedCall, ...] = ()
    rate: float | None = None
    """Words a second; None is as fast as possible."""
    delay: float = 0.0
    thought: str = ""
    """What is thought aloud before the first word."""
    end: EndReason = "stop"
    fail: int | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """A parsed file: never empty."""

    source: str
    replies: tuple[Reply, ...]
    cycle: tuple[int, ...] = field(default=())
    """Numbers of the replies without `@when`, in order."""


class _BadLine(Exception):
    """A line that cannot be understood; the message says what to write."""


def parse_script(text: str, *, source: str) -> Script:
    """The script in `text`; `source` is its name in errors. Raises ConfigurationError naming the line."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    parts = _parts(text)
    if not parts:
        raise ConfigurationError(f"{source}: there is no reply in it; write at least one line of text.")
    replies = tuple(_reply(part, line, source) for line, part in parts)
    cycle = tuple(number for number, reply in enumerate(replies) if reply.when is None)
    return Script(source, replies, cycle)


def _parts(text: str) -> list[tuple[int, str]]:
    """The replies' texts, each with the number of its first line, without blank ones at either end."""
    parts: list[tuple[int, str]] = []
    start = 0
    for mark in [*_PART.finditer(text), None]:
        part = text[start : mark.start() if mark else len(text)]
        parts.append((text.count("\n", 0, start) + 1, part.removeprefix("\n") if start else part))
        if start:
            parts[-1] = (parts[-1][0] + 1, parts[-1][1])
        start = mark.end() if mark else start
    while parts and not parts[0][1].strip():
        parts.pop(0)
    while parts and not parts[-1][1].strip():
        parts.pop()
    return parts


def _reply(part: str, first_line: int, source: str) -> Reply:
    lines = part.split("\n")
    at = next((index for index, line in enumerate(lines) if line.strip()), len(lines))
    reply = Reply()
    while at < len(lines) and (directive := _DIRECTIVE.fullmatch(lines[at].rstrip())):
        try:
            reply = _directed(reply, directive[1], directive[2])
        except _BadLine as problem:
            raise ConfigurationError(f"{source}, line {first_line + at}: {problem}") from problem
        at += 1
    text = re.sub(r"\A(?:[ \t]*\n)+", "", "\n".join(lines[at:])).rstrip()
    if not text and reply.fail is None:
        raise ConfigurationError(f"{source}, line {first_line}: this reply has no text; write some below it.")
    return replace(reply, text=text)


def _directed(reply: Reply, name: str, value: str) -> Reply:
    match name:
        case "when":
            return replace(reply, when=_pattern(value))
        case "tool":
            return replace(reply, calls=(*reply.calls, _call(value)))
        case "rate":
            return replace(reply, rate=_number(value, "@rate 20", above=0, at_most=1e6))
        case "delay":
            return replace(reply, delay=_number(value, "@delay 0.5", above=-1e-9, at_most=LONGEST_DELAY))
        case "think":
            return replace(reply, thought=value)
        case "cut":
            if value not in ("length", "content_filter"):
                raise _BadLine("write why after it, as in `@cut length` or `@cut content_filter`.")
            return replace(reply, end=value)
        case _:
            if not value.isdecimal() or not 300 <= int(value) <= 599:
                raise _BadLine("write an HTTP status of a failure after it, as in `@fail 503`.")
            return replace(reply, fail=int(value))


def _pattern(value: str) -> re.Pattern[str]:
    if not value:
        raise _BadLine("write a regular expression after it, as in `@when weather|rain`.")
    try:
        return re.compile(value, re.IGNORECASE)
    except re.error as error:
        raise _BadLine(f"`{value}` is not a regular expression: {error}.") from error


def _call(value: str) -> ScriptedCall:
    name, _, arguments = value.partition(" ")
    if not name or name.startswith("{"):
        raise _BadLine(
            'write the tool\'s name and its arguments after it, as in `@tool search {"query": "nodes"}`.'
        )
    try:
        msgspec.json.decode(arguments.strip() or "{}", type=dict[str, object])
    except (ValueError, RecursionError) as error:
        raise _BadLine(f"the arguments of {name} are not a JSON object: {error}.") from error
    return ScriptedCall(name, arguments.strip() or "{}")


def _number(value: str, example: str, *, above: float, at_most: float) -> float:
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not above < number <= at_most:
        raise _BadLine(f"write a number after it, as in `{example}`.")
    return max(0.0, number)
