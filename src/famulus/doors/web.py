"""The web app: static files built by Vite, served with a strict policy; every other path is the app itself."""

from pathlib import Path

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

BUILT = Path(__file__).parent.parent / "web"
MISSING = (
    "<!doctype html><html lang=en><title>Famulus</title><p>The server runs; its web app has not been built here. "
    "Run <code>scripts/run</code>, or <code>npm ci &amp;&amp; npm run build</code> in <code>web/</code>.</p>"
)
OURS = (
    "api/",
    "v1/",
    "healthz",
    "readyz",
    "metrics",
    "docs",
    "openapi.json",
    "assets/",
    "chatkit",
    "mcp",
    "ws/",
)


class WebApp(StaticFiles):
    """The built files. Names under `assets/` carry a hash and are kept for ever; the page itself is asked for anew."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or path.startswith(OURS):
                raise
            response = FileResponse(BUILT / "index.html")
        if path.startswith("assets/"):
            response.headers["cache-control"] = "public, max-age=31536000, immutable"
        else:
            response.headers["cache-control"] = "no-cache"
        return response


def mount(app: FastAPI) -> None:
    """Serve the web app at `/`, or a page that says how to build it."""
    if (BUILT / "index.html").is_file():
        app.mount("/", WebApp(directory=BUILT, html=True), name="web")
        return

    async def missing() -> Response:
        return HTMLResponse(MISSING)

    app.add_api_route("/", missing, include_in_schema=False)
