"""HTTP as uvicorn speaks it, with a short way for the pieces of a stream.

A piece that the server takes at once needs no message, no coroutine and none of the questions that uvicorn asks of
every message: it is one chunk (RFC 9112 §7.1). Whatever is not as simple goes uvicorn's own way.
"""

from functools import partial
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from famulus.doors.sse import DIRECT_WRITE


class DirectHttp(HttpToolsProtocol):
    """Leaves the short way in the scope of each request."""

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        cycle = cast(RequestResponseCycle | None, self.cycle)
        if cycle is not None:  # else the connection becomes a WebSocket
            cast(dict[str, object], self.scope)[DIRECT_WRITE] = partial(write, cycle)


def write(cycle: RequestResponseCycle, piece: bytes) -> bool:
    """Send a piece of a body at once, when the head is out and the reader keeps up; False when nothing was sent."""
    if cycle.flow.write_paused or cycle.disconnected or not cycle.chunked_encoding or cycle.response_complete:
        return False
    if piece:  # an empty chunk would end the body
        cycle.transport.write(b"%x\r\n%b\r\n" % (len(piece), piece))
    return True
