"""Logs: one JSON object a line (or text for reading), ours and the libraries' alike; no secrets, no message text."""

import logging
import logging.config
from collections.abc import MutableMapping
from typing import Any

import structlog

from famulus.kernel.settings import Settings

SECRET_WORDS = ("authorization", "cookie", "password", "token", "api_key", "secret")
HIDDEN = "[hidden]"
COUNTS = frozenset({"input_tokens", "output_tokens"})


def _hide(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Whatever is named like a secret is not shown, should anybody ever log one."""
    for key in event:
        if key not in COUNTS and any(word in key.lower() for word in SECRET_WORDS):
            event[key] = HIDDEN
    return event


def configure(settings: Settings) -> None:
    """Set logging up for this process, once."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        _hide,
    ]
    text = settings.log_format == "text"
    last: list[Any] = (
        [structlog.dev.ConsoleRenderer()]
        if text
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "alembic"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = name != "uvicorn.access"
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, root.level))
    logging.getLogger("alembic").setLevel(logging.WARNING)
