"""The web app: static files built by Vite; every path that nothing else answers to is the app itself.

It is what the router falls back to, rather than one of its routes: a known path with a wrong method stays a 405.
"""

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
OURS = frozenset(
    "api v1 assistant assistants courses chatkit ag-ui ai-sdk mcp ws healthz readyz metrics docs openapi.json assets"
    " .well-known".split()
)
"""First words of paths that are never the page: what is not there says so."""


class WebApp(StaticFiles):
    """The built files. Names under `assets/` carry a hash and are kept for ever; the page itself is asked for anew."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if scope["path"].lstrip("/").partition("/")[0] in OURS:  # as it was asked for, dots and all
                raise HTTPException(404) from error
            if error.status_code != 404:
                raise
            response = FileResponse(Path(str(self.directory)) / "index.html")
        if path.startswith("assets/"):
            response.headers["cache-control"] = "public, max-age=31536000, immutable"
        else:
            response.headers["cache-control"] = "no-cache"
        return response


def mount(app: FastAPI, folder: Path = BUILT) -> None:
    """Serve the web app built into `folder`, or a page at `/` that says how to build it."""
    if (folder / "index.html").is_file():
        app.router.default = WebApp(directory=folder, html=True)
        return

    async def missing() -> Response:
        return HTMLResponse(MISSING)

    app.add_api_route("/", missing, include_in_schema=False)
