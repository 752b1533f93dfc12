"""Logs: one line an event, JSON or text, ours and libraries' alike, with the ids of what it belongs to.

Nothing that people have written and nothing that opens a door belongs into a log: such fields are blanked by name,
credentials inside other text by their looks.
"""

import logging
import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from famulus.kernel.settings import Settings

SECRET = re.compile(
    r"authorization|cookie|passw|token(?!s\b|s$|_limit)|secret|credential|api[_-]?key|private[_-]?key|\bdsn\b",
    re.IGNORECASE,
)
"""Names of fields whose values open doors."""
WRITTEN = frozenset(
    "answer arguments body content delta history instructions message messages parts payload preview prompt"
    " question quote reply text title transcript".split()
)
"""Names of fields that hold what somebody has written."""
IN_TEXT = re.compile(
    r"(?P<before>://[^\s:/@]*:(?=[^\s/@]*@)|\b(?:bearer|basic)\s+|\b(?:api[_-]?key|token|password|secret)['\"]?\s*[=:]\s*['\"]?)"
    r"[^\s@&'\"]+",
    re.IGNORECASE,
)
BLANK = "[removed]"
LINK = "link"
"""The name of the field with a link that opens something."""
DEPTH = 4
"""Deeper values are left out."""
LOUD = (
    "asyncio",
    "aiosqlite",
    "sqlalchemy",
    "aiohttp",
    "alembic",
    "pdfminer",
    "trafilatura",
    "htmldate",
    "mcp",
)
"""Libraries of which only warnings are of use."""


def spare_stdout() -> None:
    """Log to standard error in a command that prints its result, unless more has been said about logging."""
    if not structlog.is_configured():
        # Not the factory of structlog, which keeps to what standard error is now.
        structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Set up logging for this process, to standard error unless a stream is given. Called once, by what starts it."""
    output = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        blank_but_links if settings.local else blank,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _renderer(settings, output),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    _quieten()


def about(**ids: str) -> AbstractContextManager[None]:
    """Every line logged in the block, and in tasks begun there, bears these ids (`request_id`, `run_id` …)."""
    return structlog.contextvars.bound_contextvars(**ids)


def blank(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The processor that removes what no log may hold."""
    return {name: _safe(name, value, 0) for name, value in event.items()}


def blank_but_links(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """The same on somebody's own machine, where a mailed link is read in the log, for want of a mail server."""
    links = {name: value for name, value in event.items() if name == LINK}
    return {**blank(logger, method, event), **links}


def _safe(name: str, value: Any, depth: int) -> Any:
    if name != "event" and (name.lower() in WRITTEN or SECRET.search(name)) and value is not None:
        return f"[{len(value)} characters]" if name.lower() in WRITTEN and isinstance(value, str) else BLANK
    if isinstance(value, str):
        return IN_TEXT.sub(rf"\g<before>{BLANK}", value)
    if name.startswith("_") or isinstance(value, (int, float, bool, type(None))):
        return value
    if depth == DEPTH:
        return "…"
    if isinstance(value, Mapping):
        fields = cast(Mapping[object, object], value)
        return {str(key): _safe(str(key), item, depth + 1) for key, item in fields.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_safe("", item, depth + 1) for item in cast(Iterable[object], value)]
    return IN_TEXT.sub(rf"\g<before>{BLANK}", str(value))


def _renderer(settings: Settings, stream: TextIO) -> Processor:
    if settings.log_format == "json" or (
        settings.log_format is None and not (settings.local and stream.isatty())
    ):
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    # Rich tracebacks would show the values of local variables.
    return structlog.dev.ConsoleRenderer(
        colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
    )


def _quieten() -> None:
    """Have libraries pass their records on, and uvicorn not log each request: we log a line of our own."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"
    logging.getLogger("uvicorn.access").disabled = True
    for name in LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)
