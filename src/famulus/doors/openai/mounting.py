"""Puts these doors into the application."""

from fastapi import FastAPI

from famulus.doors.openai.chat import router as chat
from famulus.doors.openai.conversations import router as conversations
from famulus.doors.openai.places import router as places
from famulus.doors.openai.responses import router as responses
from famulus.doors.openai.shapes import refusal

ROUTERS = (responses, chat, conversations, places)


def mount(app: FastAPI) -> None:
    """Serve everything below `/v1`, and have errors there be told as OpenAI tells them."""
    app.state.dialects = {"/v1/": refusal}
    for router in ROUTERS:
        app.include_router(router)
