"""Of many tools a model is told of those that fit its question, and finds the others. Pure."""

from dataclasses import replace

import pytest

from famulus.tools.arguments import spec_of
from famulus.tools.contract import Done, Tool, ToolContext
from famulus.tools.offer import Offer
from famulus.tools.openapi.toolset import as_schema
from famulus.tools.relevance import FIND, FindTools, matching, ranked, tell
from tests.tools.conftest import PERSON


async def _act(_context: ToolContext, _given: object) -> Done:
    return Done("Done.")


def tool(name: str, description: str = "", source: str = "con_1") -> Tool:
    return Tool(name, description, as_schema({"type": "object"}), "reads", _act, source=source)


def offer(*tools: Tool) -> Offer:
    return Offer({each.name: each for each in tools}, tuple(spec_of(each) for each in tools))


MANY = [tool(f"api_op{n}", f"Does the thing number {n}") for n in range(60)]
OURS = tool("list_my_courses", "List the person's courses", source="")


def test_what_fits_best_comes_first() -> None:
    tools = [
        tool("crm_getCustomer", "Find a customer by number"),
        tool("crm_createInvoice", "Write an invoice to a customer"),
        tool("crm_listInvoices", "List the invoices of a customer, newest first"),
        tool("hr_listHolidays", "List holidays"),
    ]
    assert ranked("Which invoices are open?", tools)[0].name in ("crm_createInvoice", "crm_listInvoices")
    assert ranked("show me the newest invoices", tools)[0].name == "crm_listInvoices"
    assert ranked("holiday", tools)[0].name == "hr_listHolidays"
    assert [each.name for each in ranked("zebra", tools)] == [each.name for each in tools]
    assert matching("zebra", tools) == []
    assert ranked("anything", []) == []


def test_few_tools_are_all_told() -> None:
    few = offer(OURS, *MANY[:20])
    told = tell(few, lambda: "anything")
    assert told.specs == few.specs
    assert FIND not in told.tools


def test_of_many_twenty_are_told_and_all_can_be_called() -> None:
    everything = offer(OURS, *MANY, tool("shop_refund", "Give money back for an order"))
    told = tell(everything, lambda: "I want my money back for this order")
    names = [spec.name for spec in told.specs]
    assert names[0] == "list_my_courses"
    assert names[1] == "shop_refund"
    assert len(names) == 1 + 20 + 1
    assert names[-1] == FIND
    assert set(told.tools) == {*everything.tools, FIND}


def test_what_was_called_already_stays_told() -> None:
    told = tell(
        offer(*MANY, tool("shop_refund", "Give money back")), lambda: "thing", used=["shop_refund", "x"]
    )
    assert "shop_refund" in [spec.name for spec in told.specs]


@pytest.mark.asyncio
async def test_what_is_looked_for_is_told_from_then_on() -> None:
    told = tell(offer(*MANY, tool("shop_refund", "Give money back " * 50)), lambda: "thing number 7")
    assert "shop_refund" not in [spec.name for spec in told.specs]
    context = ToolContext(PERSON, "thr_1", None)
    done = await told.tools[FIND].act(context, FindTools(query="refund money"))
    assert done.said == "Found 1 tools; they can be called now."
    assert [row["name"] for row in done.data] == ["shop_refund"]
    assert len(done.data[0]["description"]) == 300
    assert "shop_refund" in [spec.name for spec in told.specs]
    again = await told.tools[FIND].act(context, FindTools(query="refund"))
    assert again.said.startswith("Found 1")
    assert len({spec.name for spec in told.specs}) == len(told.specs)
    nothing = await told.tools[FIND].act(context, FindTools(query="zebra"))
    assert nothing.data is None
    other = tell(offer(*MANY, replace(MANY[0], name="other")), lambda: "thing")
    assert len(other.specs) == 21
