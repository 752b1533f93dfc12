"""What an API answered, as a tool's result: bounded, and never in doubt where something may have been changed. Pure.

2xx                 done, with what it said
3xx                 of a reading call followed already; else not followed
4xx                 failed, with what it said
5xx, no answer      failed where it only reads; else nobody knows whether it was done
"""

import json
from collections.abc import Callable
from typing import Any, cast

from famulus.kernel.http_answers import (
    OutboundFailed,
    OutboundRefused,
    OutboundTooLarge,
    OutboundUnreached,
    Response,
)
from famulus.kernel.text import visible_text
from famulus.tools.contract import Done, Effect, OutcomeUnknown, ToolFailed

ROWS, CHARACTERS, LONGEST, PROBLEM = 100, 12_000, 4_000, 600
"""Of one array, of one answer, of one text in it, of what is told of a failure."""
DEPTH = 20
SEE_OTHER = 303
Without = Callable[[str], str]
"""Takes secrets out of a text."""


def result_of(title: str, effect: Effect, answer: Response, without: Without) -> Done:
    """What a call came to. Raises ToolFailed or OutcomeUnknown."""
    said = f"{title} answered {answer.status}"
    text = without(answer.body.decode("utf-8", "replace"))
    status = answer.status
    if 200 <= status < 300:
        return Done(f"{said}.", _data(answer, text))
    if effect != "reads" and status == SEE_OTHER:
        return Done(f"{said}: it was taken, and the result is on another page.")
    problem = f"{said}{_problem(text)}"
    if effect != "reads" and (status >= 500 or status in (301, 302)):
        raise OutcomeUnknown(f"{problem} Whether it was done is not known.")
    if 300 <= status < 400:
        raise ToolFailed(f"{said}, a redirect, which is not followed.")
    raise ToolFailed(problem)


def without_answer(
    title: str, effect: Effect, error: OutboundFailed | OutboundRefused | OutboundTooLarge
) -> Exception:
    """What to raise where no usable answer came."""
    if effect == "reads" or isinstance(error, OutboundUnreached | OutboundRefused):
        nothing = "" if effect == "reads" else " Nothing was done."
        return ToolFailed(f"{title} could not be asked: {error.detail}{nothing}")
    if isinstance(error, OutboundTooLarge):
        return OutcomeUnknown(f"{title} was sent, but the answer is too large to read: it was probably done.")
    return OutcomeUnknown(
        f"{title} was sent, but no answer came: {error.detail} Whether it was done is not known."
    )


def _data(answer: Response, text: str) -> object:
    if not text.strip():
        return None
    if "json" in answer.headers.get("Content-Type", "json").lower():
        try:
            return bounded(json.loads(text))
        except (ValueError, RecursionError):
            pass  # whatever it says it is: a text
    shown = visible_text(text[:LONGEST])
    return (
        shown if len(text) <= LONGEST else {"answer": shown, "cut": f"The text has {len(text):,} characters."}
    )


def _problem(text: str) -> str:
    shown = " ".join(visible_text(text[:PROBLEM].replace("\r", "")).split())
    return f": {shown}{'…' if len(text) > PROBLEM else ''}" if shown else "."


def bounded(value: object) -> object:
    """A JSON value that a model can take: with fewer rows and shorter texts, and then with a note that says so."""
    rows, longest = ROWS, LONGEST
    while True:
        cutting = _Cutting(rows, longest)
        shown = cutting.of(value, 0)
        if len(json.dumps(shown, ensure_ascii=False)) <= CHARACTERS or (rows == 1 and longest <= 50):
            break
        rows, longest = max(rows // 2, 1), max(longest // 2, 50)
    if len(json.dumps(shown, ensure_ascii=False)) > CHARACTERS:
        text = json.dumps(value, ensure_ascii=False)
        return {"answer": text[:LONGEST], "cut": f"The answer has {len(text):,} characters; ask for less."}
    return {"answer": shown, "cut": cutting.note()} if cutting.cut else shown


class _Cutting:
    def __init__(self, rows: int, longest: int) -> None:
        self._rows, self._longest = rows, longest
        self.most = 0
        self.cut = False

    def of(self, value: object, depth: int) -> Any:
        if depth > DEPTH:
            self.cut = True
            return "…"
        match value:
            case str():
                self.cut = self.cut or len(value) > self._longest
                return value if len(value) <= self._longest else value[: self._longest] + "…"
            case list():
                items = cast(list[object], value)
                if len(items) > self._rows:
                    self.cut, self.most = True, max(self.most, len(items))
                return [self.of(each, depth + 1) for each in items[: self._rows]]
            case dict():
                members = cast(dict[str, object], value)
                return {name: self.of(each, depth + 1) for name, each in members.items()}
            case _:
                return value

    def note(self) -> str:
        if self.most:
            return f"The first {self._rows} of {self.most:,} rows, texts shortened; ask for less, or for a page of it."
        return "Texts are shortened; ask for less."
