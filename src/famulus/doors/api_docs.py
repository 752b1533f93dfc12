"""`/docs`: the API to try out in a browser, for developers on their own machine. Its files come with the web app."""

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import Response

FILES = "/api-docs"


def mount(app: FastAPI) -> None:
    """Serve `/docs`."""

    async def docs() -> Response:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title="Famulus API",
            swagger_js_url=f"{FILES}/swagger-ui-bundle.js",
            swagger_css_url=f"{FILES}/swagger-ui.css",
            swagger_favicon_url="/favicon.svg",
        )

    app.add_api_route("/docs", docs, include_in_schema=False)
