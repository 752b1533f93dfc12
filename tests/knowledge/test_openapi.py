"""An OpenAPI document becomes a chunk for each operation, with all that a caller has to know."""

import json
from pathlib import Path

import pytest

from famulus.kernel.database import Database
from famulus.knowledge.blocks import Piece, Unparsable
from famulus.knowledge.cut import LONGEST
from famulus.knowledge.ingest import ingest_path
from famulus.knowledge.parse import format_of, parse
from famulus.knowledge.store import Owner
from tests.support.docs_openapi import document, operations
from tests.support.rooms import World

SHOP = """
openapi: 3.1.0
info: {title: Shop, version: "1"}
security: [{key: []}]
paths:
  /orders/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: integer}, description: The order's number.}
    delete:
      operationId: cancelOrder
      summary: Cancel an order
      security: [{login: [orders:write]}]
      responses: {"204": {description: Cancelled.}, "403": {description: Only the buyer may cancel.}}
  /orders:
    post:
      summary: Place an order
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}
      responses: {"201": {description: Placed., content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}}}
    get:
      operationId: broken
      requestBody: {$ref: "#/nowhere"}
      responses: {}
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key, description: From the settings page.}
    login: {type: oauth2, flows: {}}
  schemas:
    Order:
      type: object
      required: [lines]
      properties:
        lines: {type: array, items: {$ref: "#/components/schemas/Line"}}
        parent: {$ref: "#/components/schemas/Order"}
        state: {enum: [open, paid]}
    Line:
      type: object
      description: One kind of goods.
      properties: {goods: {type: string, description: Its number in the catalogue.}}
"""


def by_symbol(text: str) -> dict[str, Piece]:
    return {piece.symbol: piece for piece in parse(text.encode(), "openapi.yaml").pieces}


def test_each_operation_is_a_chunk_under_its_id() -> None:
    found = parse(SHOP.encode(), "shop.openapi.yaml")

    assert found.title == "Shop API"
    assert [piece.symbol for piece in found.pieces] == ["cancelOrder", "POST /orders"]
    assert [piece.heading_path for piece in found.pieces] == [("cancelOrder",), ("POST /orders",)]
    assert found.notes == ["GET /orders: it refers to '#/nowhere', which is not there"]


def test_schemas_and_permissions_are_written_out() -> None:
    found = by_symbol(SHOP)

    assert "`id` (path, integer, required): The order's number." in found["cancelOrder"].text
    assert "login (oauth2, with the scopes orders:write)" in found["cancelOrder"].text
    assert "403: Only the buyer may cancel." in found["cancelOrder"].text
    order = found["POST /orders"].text
    assert "key (apiKey in header `X-Key`: From the settings page.)" in order
    assert "- `lines` (list of object, required)\n  - `goods` (string): Its number in the catalogue." in order
    assert '`state` ("open" or "paid")' in order
    assert "$ref" not in order


def test_a_large_operation_is_one_chunk_all_the_same() -> None:
    fields = {f"field_{n}": {"type": "string", "description": "Of many. " * 9} for n in range(200)}
    whole = json.loads(json.dumps({"openapi": "3.0.3", "info": {"title": "Big"}, "paths": {}}))
    body = {"application/json": {"schema": {"type": "object", "properties": fields}}}
    whole["paths"]["/big"] = {
        "put": {"operationId": "big", "requestBody": {"content": body}, "responses": {}}
    }

    (piece,) = parse(json.dumps(whole).encode(), "openapi.json").pieces

    assert len(piece.text) <= LONGEST
    assert piece.text.endswith("…")


@pytest.mark.parametrize("name", ["package.json", "config.yaml", "data.yml"])
def test_other_documents_are_no_material(name: str) -> None:
    assert format_of(name) is None


@pytest.mark.parametrize(
    "text", ["[]", "openapi: 3.0.0", "swagger: '2.0'", "{", "openapi: 4.0.0\npaths: {/a: {}}"]
)
def test_what_is_none_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(Unparsable, match=r"document|OpenAPI|operations"):
        parse(text.encode(), "openapi.json")


def test_our_own_operations_are_called_by_short_names() -> None:
    ids = [operation["operationId"] for _, _, operation in operations()]

    assert len(set(ids)) == len(ids)
    assert {"create_track", "list_sources"} <= set(ids)


async def test_a_question_finds_the_operation_that_does_it(
    world: World, database: Database, tmp_path: Path
) -> None:
    place = tmp_path / "openapi.json"
    place.write_text(json.dumps(document()))
    report = await ingest_path(database, Owner(world.ours), place)
    assert (report.failed, report.notes) == ([], [])

    asked = {"q": "How do I create a track by API?", "course_id": world.course}
    first = (await world["student"].get("/api/v1/search", **asked)).json()["items"][0]

    assert first["symbol"] == "create_track"
    assert (first["title"], first["heading_path"]) == ("Famulus API", [first["symbol"]])
    assert "POST /api/v1/tracks" in first["text"]
