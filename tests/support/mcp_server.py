"""MCP servers of others on 127.0.0.1: one that can be told to do whatever it must not, and the official one.

`HostileServer` speaks the protocol with a handshake; `answers` replaces what it says to a method, and what it was asked
is kept in `asked`. `python -m tests.support.mcp_server` is an honest one as a program.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import uvicorn
from mcp.server.mcpserver import MCPServer

Answer = Callable[[BaseHTTPRequestHandler, Any], None]
SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
ECHO = {"name": "echo", "description": "Say it again.", "inputSchema": SCHEMA}


class HostileServer:
    """A context manager. Without anything in `answers` it is an honest server of `tools`."""

    def __init__(self) -> None:
        self.tools: list[Any] = [ECHO]
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        """Method, headers by lower-case name, and message, of everything that came."""
        self.alive = 0
        """Answers that are being written."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/mcp"

    @property
    def methods(self) -> list[str]:
        return [method for method, _, _ in self.asked]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                method = message.get("method", "")
                server.asked.append((method, {k.lower(): v for k, v in self.headers.items()}, message))
                server.alive += 1
                try:
                    server.answers.get(method, server._honest)(self, message)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True
                finally:
                    server.alive -= 1

            def do_GET(self) -> None:
                server.asked.append(("GET " + self.path, {}, None))
                send(self, {}, status=405)

            def do_DELETE(self) -> None:
                server.asked.append(("DELETE", {k.lower(): v for k, v in self.headers.items()}, None))
                send(self, {})

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler

    def _honest(self, request: BaseHTTPRequestHandler, message: Any) -> None:
        method, id = message["method"], message.get("id")
        if id is None:
            return send(request, None, status=202)
        match method:
            case "initialize":
                info = {"name": "honest", "version": "1"}
                said = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": info}
                return send(request, result(id, said), headers={"Mcp-Session-Id": "session-of-one-call"})
            case "tools/list":
                return send(request, result(id, {"tools": self.tools}))
            case "tools/call":
                return send(request, result(id, texts(message["params"]["arguments"].get("text", ""))))
            case _:
                error = {"code": -32601, "message": "Method not found"}
                return send(request, {"jsonrpc": "2.0", "id": id, "error": error})


def result(id: Any, value: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id, "result": value}


def texts(*said: str, error: bool = False) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": each} for each in said], "isError": error}


def send(
    request: BaseHTTPRequestHandler, body: Any, *, status: int = 200, headers: dict[str, str] | None = None
) -> None:
    """An answer in JSON, or raw where `body` is bytes."""
    text = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    request.send_response(status)
    for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(text)))
    request.end_headers()
    request.wfile.write(text)


def stream(request: BaseHTTPRequestHandler, pieces: Iterator[bytes]) -> None:
    """An answer as events, for as long as there are pieces."""
    request.send_response(200)
    request.send_header("Content-Type", "text/event-stream")
    request.send_header("Connection", "close")
    request.end_headers()
    request.close_connection = True
    for piece in pieces:
        request.wfile.write(piece)
        request.wfile.flush()


def event(message: Any) -> bytes:
    return f"event: message\ndata: {json.dumps(message)}\n\n".encode()


def pings(seconds: float = 60.0) -> Iterator[bytes]:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        yield b": still here\n\n"
        time.sleep(0.02)


def official() -> MCPServer:
    """An honest server made with the official library."""
    server = MCPServer("official")

    @server.tool()
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    return server


@contextmanager
def official_http() -> Iterator[str]:
    """The address of the official server."""
    config = uvicorn.Config(official().streamable_http_app(), port=0, log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        server.should_exit = True
        thread.join(10)


if __name__ == "__main__":
    official().run("stdio")
