"""The yardstick: a bare relay, Starlette before and aiohttp behind, that passes the upstream's bytes on."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """One client session for the life of the application."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as app.state.client:
        yield


async def chat(request: Request) -> Response:
    """Pass one completion on."""
    body = await request.body()
    client: aiohttp.ClientSession = request.app.state.client

    async def stream() -> AsyncIterator[bytes]:
        url = os.environ["UPSTREAM"] + "/chat/completions"
        async with client.post(url, data=body, headers={"content-type": "application/json"}) as reply:
            async for data in reply.content.iter_any():
                yield data

    return StreamingResponse(stream(), media_type="text/event-stream")


async def healthz(_request: Request) -> Response:
    """Whether it serves."""
    return PlainTextResponse("ok")


app = Starlette(
    lifespan=lifespan, routes=[Route("/chat", chat, methods=["POST"]), Route("/healthz", healthz)]
)
