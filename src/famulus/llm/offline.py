"""No model at all: quotes the course material and does what it is told, so the server is useful without a provider.

It says what it is in one quiet line, quotes word for word with citation marks, and says so when nothing
fits. It never writes a sentence of its own about the subject. What it is told to do it does with the tools
that it is offered, one call in a turn, and says what came of it.
"""

import asyncio
import re
import uuid
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime

from famulus.llm.commands.telling import help_text, told
from famulus.llm.commands.understanding import Call, Help, Here, Say, understand
from famulus.llm.protocol import (
    ChatMessage,
    End,
    Item,
    Push,
    Request,
    TextDelta,
    ToolCall,
    ToolCallReady,
    Usage,
)
from famulus.llm.quoting import Quote, choose_quotes
from famulus.llm.words import bursts

NOT_FOUND = "I can't find that in this course."
NO_COURSE = "I can only answer from course material, and no course is open here. Open a course and ask there."
LEAD = "The course material says:"
CONNECT = "set `OPENAI_API_KEY`, or `FAMULUS_MODEL=compatible:NAME` with `FAMULUS_MODEL_BASE_URL`"
QUIET = (
    "*No language model is connected, so I only quote, and understand commands in English alone: say “help” "
    f"to see some. To connect a model, {CONNECT}.*"
)
NOT_YET = (
    "I can't find that in this course yet: some of its material is still being read. Ask again in a while."
)
NEEDS_MODEL = (
    "That has to be written, which takes a language model, and none is connected: I only quote what is there."
)
HINT = (
    f"*Without a language model I only match words: try the course's own terms. To connect one, {CONNECT}.*"
)
LOOKED_AT = 300
"""Characters of a message among which it says what it wants."""

_GREETING = re.compile(
    r"\W*(?:hi|hello|hey|hallo|hola|bonjour|salut|servus|greetings|good (?:morning|afternoon|evening|day))"
    r"(?:[\s,]+(?:there|all|everyone|famulus|again))?\W*",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"\W*(?:(?:ok(?:ay)?|great|perfect|cool)[\s,.!]+)?(?:many\s+)?(?:thanks?|thx|danke|merci|gracias|cheers)"
    r"(?:[\s,]+(?:you|a lot|so much|very much|again|famulus)){0,3}\W*",
    re.IGNORECASE,
)
_GOODBYE = re.compile(
    r"\W*(?:good\s*)?(?:bye|goodbye|see you|cu|ciao|tsch[uü]ss)(?:[\s,]+\w+)?\W*", re.IGNORECASE
)
_POLITE = r"\W*(?:(?:please|can|could|would|will|you|i|we|i'd|i'll|want|like|need|to|help|me|us|let's|now)\b\W*){0,6}"
_TO_WRITE = re.compile(
    rf"{_POLITE}(?:"
    r"(?:draft|compose|summari[sz]e|translate|rewrite|rephrase|paraphrase|proofread|brainstorm|outline)\s+\w|"
    r"(?:write|create|make|generate|prepare|produce|design|suggest|propose|give)\s+(?:[\w’'-]+\s+){0,5}?"
    r"(?:quiz(?:zes)?|tests?|exams?|questions?|flash\s?cards?|exercises?|assignments?|worksheets?|rubrics?|lessons?|"
    r"outlines?|summar(?:y|ies)|overviews?|essays?|reports?|stor(?:y|ies)|poems?|e-?mails?|letters?|texts?|plans?|"
    r"syllabus|curriculum|examples?|ideas?|scripts?|code|programs?|functions?)\b)",
    re.IGNORECASE,
)
"""A request for words that stand nowhere yet. It is looked for only where there is no command."""


class OfflineModel:
    """Does what it is told in a command, and else quotes the best of what was retrieved."""

    kind = "offline"
    name = "offline"

    async def stream(
        self, request: Request, push: Push | None = None
    ) -> AsyncGenerator[Sequence[Item], None]:
        """Call a tool, or answer `request` in words, without delay. It costs no tokens."""
        next = answer(request)
        if isinstance(next, Call):
            call = ToolCall(f"call_{uuid.uuid4().hex[:16]}", next.tool, next.arguments)
            yield [ToolCallReady(call), Usage(0, 0), End("tool_calls")]
            return
        for burst in bursts(next):
            yield [TextDelta(piece) for piece in burst]
            await asyncio.sleep(0)
        yield [Usage(0, 0), End("stop")]

    async def close(self) -> None:
        """There is nothing to let go of."""


def answer(request: Request) -> Call | str:
    """The call that a command means, or the whole answer as Markdown."""
    if (outcome := _commanded(request)) is None:
        return _quoted(request)
    if isinstance(outcome, Call) or any(QUIET in message.text for message in request.messages):
        return outcome
    return f"{outcome}\n\n{QUIET}"


def _commanded(request: Request) -> Call | str | None:
    """What a command leads to: a call, what came of it, or words; None where there is none."""
    turn = _this_turn(request)
    if turn and turn[-1].role == "tool":
        calls = [call for message in turn for call in message.tool_calls]
        return told(calls, [message for message in turn if message.role == "tool"])
    offered = frozenset(tool.name for tool in request.tools)
    today = request.today or datetime.now(UTC).date()
    understood = understand(request.messages, Here(today, offered, request.course_id or request.course_title))
    match understood:
        case Help():
            return help_text(offered)
        case Say(text=text):
            return text
        case _:
            return understood


def _this_turn(request: Request) -> Sequence[ChatMessage]:
    """What came after the person's last words."""
    places = [number for number, message in enumerate(request.messages) if message.role == "user"]
    return request.messages[places[-1] + 1 :] if places else ()


def _quoted(request: Request) -> str:
    """What the material says."""
    question = request.last_user_text()
    if courtesy := _courtesy(question, request.course_title):
        return f"{courtesy}\n\n{QUIET}"
    quotes = choose_quotes(question, request.grounding)
    said = (LEAD, *(_shown(quote) for quote in quotes)) if quotes else ()
    if _TO_WRITE.match(question[:LOOKED_AT]):
        return "\n\n".join((NEEDS_MODEL, *said, QUIET))
    if quotes:
        return "\n\n".join((*said, QUIET))
    if request.searched or request.grounding:
        return f"{NOT_YET if request.reading else NOT_FOUND}\n\n{HINT}"
    return f"{NO_COURSE}\n\n{QUIET}"


def _courtesy(said: str, course_title: str | None) -> str | None:
    if _THANKS.fullmatch(said):
        return "You're welcome."
    if _GREETING.fullmatch(said):
        about = f"“{course_title}”" if course_title else "your course"
        return f"Hello! Ask me something about {about}, and I'll look it up in its material."
    if _GOODBYE.fullmatch(said):
        return "Goodbye, and good luck with the course."
    return None


def _shown(quote: Quote) -> str:
    """A quote with its citation mark. The quoted text itself is not touched."""
    mark = f"[{quote.number}]"
    match quote.kind:
        case "prose":
            return f"> {quote.text}{' …' if quote.cut else ''} {mark}"
        case "table":
            return f"{quote.text}\n\n{mark}"
        case "code":
            return f"{quote.text}{_closing(quote.text)}\n\n{mark}"


def _closing(block: str) -> str:
    """The fence that a block lacks when its passage ended inside it."""
    lines = block.strip().splitlines()
    fence = re.match(r"(`{3,}|~{3,})", lines[0].strip())
    if fence is None or (
        len(lines) > 1 and lines[-1].strip().strip(fence[1][0]) == "" and fence[1] in lines[-1]
    ):
        return ""
    return f"\n{fence[1]}"
