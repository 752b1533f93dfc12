"""Bytes as no client would send them."""

import socket

from tests.support.serving import Served


def raw(served: Served, request: bytes, *, patience: float = 5.0) -> bytes:
    """What a server answers to these very bytes, until it closes the connection or says no more for a moment."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=patience) as connection:
        connection.sendall(request)
        answer = b""
        try:
            while piece := connection.recv(65_536):
                answer += piece
                connection.settimeout(0.3)
        except TimeoutError:
            pass
    return answer
