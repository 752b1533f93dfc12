"""A real SMTP server on this machine: it keeps what it is given, refuses whom it is told to, and can go away."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class Mailboxes:
    """Everything that arrived."""

    port: int
    arrived: list[EmailMessage] = field(default_factory=list[EmailMessage])
    recipients: list[str] = field(default_factory=list[str])
    encrypted: list[bool] = field(default_factory=list[bool])
    refused: dict[str, str] = field(default_factory=dict[str, str])
    """By recipient, the server's answer to it."""

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.arrived.append(message)
        self.recipients.extend(envelope.rcpt_tos)
        self.encrypted.append(session.ssl is not None)
        return "250 OK"


def free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


@contextmanager
def mail_server(port: int | None = None, tls: ssl.SSLContext | None = None) -> Iterator[Mailboxes]:
    """The server, while the block lasts; with `tls` it takes nothing before STARTTLS."""
    boxes = Mailboxes(port or free_port())
    options: dict[str, Any] = {"tls_context": tls, "require_starttls": True} if tls else {}
    controller = Controller(boxes, hostname="127.0.0.1", port=boxes.port, **options)
    controller.start()
    try:
        yield boxes
    finally:
        controller.stop()
