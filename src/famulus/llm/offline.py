"""No model at all: quotes the course material, so that the server is useful without any provider.

It says what it is in one quiet line, quotes word for word with citation marks, and says so when nothing
fits. It never writes a sentence of its own about the subject.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence

from famulus.llm.protocol import End, Item, Push, Request, TextDelta, Usage
from famulus.llm.quoting import Quote, choose_quotes
from famulus.llm.words import bursts

NOT_FOUND = "I can't find that in this course."
NO_COURSE = "I can only answer from course material, and no course is open here. Open a course and ask there."
LEAD = "The course material says:"
CONNECT = "set `OPENAI_API_KEY`, or `FAMULUS_MODEL=compatible:NAME` with `FAMULUS_MODEL_BASE_URL`"
QUIET = f"*No language model is connected, so I only quote. To connect one, {CONNECT}.*"
HINT = (
    f"*Without a language model I only match words: try the course's own terms. To connect one, {CONNECT}.*"
)

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


class OfflineModel:
    """Quotes the best of what was retrieved."""

    kind = "offline"
    name = "offline"

    async def stream(
        self, request: Request, push: Push | None = None
    ) -> AsyncGenerator[Sequence[Item], None]:
        """Answer `request` in words, without delay. It costs no tokens."""
        for burst in bursts(answer(request)):
            yield [TextDelta(piece) for piece in burst]
            await asyncio.sleep(0)
        yield [Usage(0, 0), End("stop")]

    async def close(self) -> None:
        """There is nothing to let go of."""


def answer(request: Request) -> str:
    """The whole answer, as Markdown."""
    question = request.last_user_text()
    if courtesy := _courtesy(question, request.course_title):
        return f"{courtesy}\n\n{QUIET}"
    quotes = choose_quotes(question, request.grounding)
    if quotes:
        return "\n\n".join((LEAD, *(_shown(quote) for quote in quotes), QUIET))
    if request.searched or request.grounding:
        return f"{NOT_FOUND}\n\n{HINT}"
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
