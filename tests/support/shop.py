"""Somebody else's API: a FastAPI application that really listens, with a document of its own and faults on demand."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

import uvicorn
from fastapi import Cookie, FastAPI, Form, Header, HTTPException, Query, Request, Response, UploadFile
from fastapi.responses import PlainTextResponse, RedirectResponse
from pydantic import BaseModel

KEY, CLIENT, CLIENT_SECRET = "shop-key-4711", "famulus", "shop client secret"
HUGE = 12_000_000
PATIENCE = 10.0


class Size(BaseModel):
    """How large."""

    width: int
    height: int


class NewOrder(BaseModel):
    """What is ordered."""

    article: str
    count: int
    size: Size | None = None


@dataclass
class Shop:
    """What it was asked, and where it is."""

    url: str = ""
    asked: list[tuple[str, str, dict[str, str], str]] = field(default_factory=list)
    """Method, path with query, headers, body."""
    tokens: list[str] = field(default_factory=list)
    """Tokens that it has given out; of these the last is good."""
    document_changes: dict[str, Any] = field(default_factory=dict)

    @property
    def last(self) -> tuple[str, str, dict[str, str], str]:
        return self.asked[-1]


def _app(shop: Shop) -> FastAPI:
    app = FastAPI(title="Shop", openapi_url=None)

    @app.middleware("http")
    async def _note(request: Request, go_on: Any) -> Response:
        body = (await request.body()).decode()
        path = request.scope["raw_path"].decode()
        query = request.scope["query_string"].decode()
        if path not in ("/openapi.json", "/token"):
            full = f"{path}?{query}" if query else path
            shop.asked.append((request.method, full, dict(request.headers), body))
        return await go_on(request)

    _add_orders(app)
    _add_faults(app)
    _add_sign_in(app, shop)
    return app


def _add_orders(app: FastAPI) -> None:
    @app.get("/orders", operation_id="listOrders", summary="List orders")
    async def list_orders(tag: Annotated[list[str] | None, Query()] = None, limit: int = 3) -> list[Any]:
        return [{"id": n, "tags": tag or [], "api_key": "not for you"} for n in range(limit)]

    @app.get("/orders/{order_id}", operation_id="getOrder")
    async def get_order(order_id: str) -> Any:
        if order_id == "none":
            raise HTTPException(404, "There is no such order; your key was " + KEY)
        return {"id": order_id}

    @app.post("/orders", operation_id="createOrder", status_code=201)
    async def create_order(order: NewOrder, urgent: bool = False) -> Any:
        return {"id": 7, "urgent": urgent, **order.model_dump()}

    @app.put("/orders/{order_id}", operation_id="replaceOrder")
    async def replace_order(
        order_id: int, order: NewOrder, idempotency_key: Annotated[str, Header()] = ""
    ) -> Any:
        return {"id": order_id, **order.model_dump(), "key_seen": bool(idempotency_key)}

    @app.delete("/orders/{order_id}", operation_id="deleteOrder", status_code=204)
    async def delete_order(order_id: int) -> None:
        return None

    @app.post("/notes", operation_id="addNote")
    async def add_note(text: Annotated[str, Form()], stars: Annotated[int, Form()] = 1) -> Any:
        return {"text": text, "stars": stars}

    @app.post("/letters", operation_id="sendLetter")
    async def send_letter(
        text: Annotated[str, Form()],
        tag: Annotated[list[str], Form()],
        language: Annotated[str, Cookie()],
        scan: UploadFile | None = None,
    ) -> Any:
        return {"text": text, "tag": tag, "language": language, "scan": scan is not None}


def _add_faults(app: FastAPI) -> None:
    @app.api_route("/broken", methods=["GET"], operation_id="readBroken")
    @app.api_route("/broken", methods=["POST"], operation_id="writeBroken")
    async def broken() -> Response:
        return PlainTextResponse("the shop is on fire", 503)

    @app.api_route("/slow", methods=["GET"], operation_id="readSlow")
    @app.api_route("/slow", methods=["POST"], operation_id="writeSlow")
    async def slow() -> Any:
        await asyncio.sleep(3)
        return {}

    @app.api_route("/huge", methods=["GET"], operation_id="readHuge")
    @app.api_route("/huge", methods=["POST"], operation_id="writeHuge")
    async def huge() -> Response:
        return Response(b"x" * HUGE, media_type="text/plain")

    @app.get("/text", operation_id="readText")
    async def text() -> Response:
        return PlainTextResponse("plain\u202e words\n" * 1000)

    @app.get("/many", operation_id="readMany")
    async def many() -> Any:
        return [{"n": n, "text": "word " * 20} for n in range(5000)]

    @app.get("/moved", operation_id="readMoved")
    async def moved() -> Response:
        return RedirectResponse("/orders/moved", 302)

    @app.post("/moved", operation_id="writeMoved")
    async def write_moved() -> Response:
        return RedirectResponse("/orders/moved", 307)

    @app.get("/inwards", operation_id="readInwards")
    async def inwards() -> Response:
        return RedirectResponse("http://10.0.0.1/latest", 302)


def _add_sign_in(app: FastAPI, shop: Shop) -> None:
    @app.get("/private", operation_id="readPrivate")
    async def private(request: Request) -> Any:
        good = {f"Bearer {KEY}", *(f"Bearer {token}" for token in shop.tokens[-1:])}
        if request.headers.get("authorization") not in good and request.headers.get("x-api-key") != KEY:
            raise HTTPException(401, f"Not with {request.headers.get('authorization')}")
        return {"seen": request.headers.get("authorization") or request.headers.get("x-api-key")}

    @app.get("/me", operation_id="readMe")
    async def me(request: Request) -> Any:
        return {"signed": request.headers.get("authorization", "").count(".") == 2}

    @app.post("/token", include_in_schema=False)
    async def token(request: Request) -> Any:
        if not request.headers.get("authorization", "").startswith("Basic "):
            raise HTTPException(401)
        shop.tokens.append(f"granted-{len(shop.tokens)}-of-the-shop")
        return {"access_token": shop.tokens[-1], "token_type": "bearer", "expires_in": 3600}

    @app.get("/openapi.json", include_in_schema=False)
    async def document() -> Any:
        return {**app.openapi(), **shop.document_changes}

    @app.get("/openapi2.json", include_in_schema=False)
    async def old() -> Any:
        return {"swagger": "2.0", "paths": {"/x": {}}}


@contextmanager
def open_shop() -> Iterator[Shop]:
    """The shop, listening on 127.0.0.1."""
    shop = Shop()
    config = uvicorn.Config(_app(shop), log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    bound.listen(64)  # who comes before the server runs, waits
    shop.url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    try:
        yield shop
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        bound.close()


def tiny_document(url: str = "https://api.example.org", **changes: object) -> str:
    """A document with one operation."""
    document: dict[str, Any] = {
        "openapi": "3.0.3",
        "info": {"title": "Tiny", "version": "1"},
        "servers": [{"url": url}],
        "paths": {"/things": {"get": {"operationId": "list_things", "summary": "List things"}}},
    }
    return json.dumps({**document, **changes})
