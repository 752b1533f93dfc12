"""Operations of a real API as tools: what is sent, what comes of each kind of answer, and what is never seen again."""

import json
from dataclasses import replace

import pytest

from famulus.tools.contract import OutcomeUnknown, Retry, ToolFailed
from famulus.tools.links import AskerAuth, BearerAuth, ClientAuth, HeaderAuth, Link, Problem
from tests.support.shop import CLIENT, CLIENT_SECRET, HUGE, KEY, Shop
from tests.tools.conftest import PERSON, Kit, call


def at(shop: Shop) -> str:
    return f"{shop.url}/openapi.json"


async def test_operations_are_tools_with_effects_by_their_method(kit: Kit, shop: Shop) -> None:
    tools = await kit.tools(kit.link(url=at(shop)))
    effects = {name: tool.effect for name, tool in tools.items()}
    assert effects["shop_listOrders"] == "reads"
    assert effects["shop_createOrder"] == "writes"
    assert effects["shop_deleteOrder"] == "destroys"
    assert "GET /orders of Shop" in tools["shop_listOrders"].description
    assert [name for name, tool in tools.items() if tool.repeatable] == ["shop_replaceOrder"]
    schema = json.loads(bytes(tools["shop_createOrder"].parameters))
    assert sorted(schema["properties"]) == ["article", "count", "size", "urgent"]
    assert sorted(schema["required"]) == ["article", "count"]
    assert "idempotency_key" not in json.loads(bytes(tools["shop_replaceOrder"].parameters))["properties"]


async def test_effects_and_the_list_of_allowed_tools_are_the_admins_to_say(kit: Kit, shop: Shop) -> None:
    link = kit.link(
        url=at(shop),
        allow=("*Order", "shop_listOrders"),
        effects={"createOrder": "reads", "shop_getOrder": "destroys"},
    )
    tools = await kit.tools(link)
    assert "shop_readText" not in tools
    assert {"shop_listOrders", "shop_createOrder"} <= tools.keys()
    assert (tools["shop_createOrder"].effect, tools["shop_getOrder"].effect) == ("reads", "destroys")


async def test_a_reading_call(kit: Kit, shop: Shop) -> None:
    tools = await kit.tools(kit.link(url=at(shop)))
    done = await call(tools["shop_listOrders"], {"tag": ["a b", "c&d"], "limit": 2})
    assert done.said == "GET /orders answered 200."
    assert done.data == [{"id": n, "tags": ["a b", "c&d"], "api_key": "not for you"} for n in range(2)]
    method, path, headers, _ = shop.last
    assert (method, path) == ("GET", "/orders?tag=a%20b&tag=c%26d&limit=2")
    assert headers["famulus-tool-call"] == "1"
    assert headers["idempotency-key"] == "run_1.call_1"
    assert headers["accept"] == "application/json"


async def test_a_writing_call_sends_json_and_a_form_is_a_form(kit: Kit, shop: Shop) -> None:
    tools = await kit.tools(kit.link(url=at(shop)))
    given = {"article": "Glühbirne", "count": 2, "size": {"width": 1, "height": 2}, "urgent": True}
    done = await call(tools["shop_createOrder"], given)
    assert done.said == "POST /orders answered 201."
    assert done.data == {"id": 7, **given}
    assert shop.last[1] == "/orders?urgent=true"
    done = await call(tools["shop_addNote"], {"text": "a & b", "stars": 3})
    assert done.data == {"text": "a & b", "stars": 3}
    assert shop.last[3] == "text=a+%26+b&stars=3"
    done = await call(tools["shop_deleteOrder"], {"order_id": 3})
    assert (done.said, done.data) == ("DELETE /orders/{order_id} answered 204.", None)


async def test_a_form_of_several_parts_and_a_cookie(kit: Kit, shop: Shop) -> None:
    tools = await kit.tools(kit.link(url=at(shop)))
    given = {"text": "a & b\r\n--c", "tag": ["x", "y"], "language": "de; admin=1"}
    done = await call(tools["shop_sendLetter"], given)
    *_, headers, _ = shop.last

    assert done.said == "POST /letters answered 200."
    assert isinstance(done.data, dict)
    assert (done.data["text"], done.data["tag"], done.data["scan"]) == (given["text"], ["x", "y"], False)
    assert headers["cookie"] == "language=de%3B%20admin%3D1", "one cookie, whatever a model writes"
    assert headers["content-type"].startswith("multipart/form-data; boundary=")
    with pytest.raises(Retry):
        await call(tools["shop_sendLetter"], {**given, "scan": "x"})


async def test_wrong_arguments_are_the_models_to_mend(kit: Kit, shop: Shop) -> None:
    tools = await kit.tools(kit.link(url=at(shop)))
    before = len(shop.asked)
    with pytest.raises(Retry, match="`count`"):
        await call(tools["shop_createOrder"], {"article": "Pen", "count": "many"})
    with pytest.raises(Retry, match='"article" is a required'):
        await call(tools["shop_createOrder"], {"count": 1})
    with pytest.raises(Retry, match="`size`"):
        await call(
            tools["shop_createOrder"], {"article": "Pen", "count": 1, "size": {"width": "x", "height": 1}}
        )
    with pytest.raises(Retry, match="unexpected"):
        await call(tools["shop_createOrder"], {"article": "Pen", "count": 1, "colour": "red"})
    assert len(shop.asked) == before
    # What a model leaves away it may also write as null.
    assert (await call(tools["shop_getOrder"], {"order_id": "7"})).data == {"id": "7"}
    assert (await call(tools["shop_createOrder"], {"article": "Pen", "count": 1, "urgent": None})).data


@pytest.mark.parametrize("id", ["..", ".", "", "../text", "7/../../text"])
async def test_an_argument_stays_in_its_segment_of_the_path(kit: Kit, shop: Shop, id: str) -> None:
    tools = await kit.tools(kit.link(url=at(shop)))
    with pytest.raises(Retry, match="must neither be empty"):
        await call(tools["shop_getOrder"], {"order_id": id})
    with pytest.raises(ToolFailed, match="404"):
        await call(tools["shop_getOrder"], {"order_id": "a/b?c#d"})
    assert shop.last[1] == "/orders/a%2Fb%3Fc%23d"


async def test_a_refusal_is_told_without_what_was_sent(kit: Kit, shop: Shop) -> None:
    tools = await kit.tools(kit.link(BearerAuth(KEY), url=at(shop)))
    with pytest.raises(
        ToolFailed, match=r"GET /orders/\{order_id\} answered 404.*no such order.*•••"
    ) as failed:
        await call(tools["shop_getOrder"], {"order_id": "none"})
    assert KEY not in str(failed.value)


async def test_a_fault_of_the_far_side_leaves_a_writing_call_unknown(kit: Kit, shop: Shop) -> None:
    tools = await kit.tools(kit.link(url=at(shop)))
    with pytest.raises(ToolFailed, match="503: the shop is on fire"):
        await call(tools["shop_readBroken"], {})
    with pytest.raises(OutcomeUnknown, match="503: the shop is on fire"):
        await call(tools["shop_writeBroken"], {})


async def test_silence_leaves_a_writing_call_unknown(kit: Kit, shop: Shop) -> None:
    tools = await kit.tools(kit.link(url=at(shop)))
    with pytest.raises(ToolFailed, match="did not answer within"):
        await call(tools["shop_readSlow"], {})
    with pytest.raises(OutcomeUnknown, match="no answer came"):
        await call(tools["shop_writeSlow"], {})


async def test_nobody_there_means_nothing_was_done(kit: Kit, shop: Shop) -> None:
    tools = await kit.tools(kit.link(url=at(shop), base_url="http://127.0.0.1:9"))
    with pytest.raises(ToolFailed, match="Nothing was done"):
        await call(tools["shop_createOrder"], {"article": "Pen", "count": 1})


async def test_a_huge_answer_is_not_read(kit: Kit, shop: Shop) -> None:
    assert HUGE > 10_000_000
    tools = await kit.tools(kit.link(url=at(shop)))
    with pytest.raises(ToolFailed, match="more than the 10000000 bytes"):
        await call(tools["shop_readHuge"], {})
    with pytest.raises(OutcomeUnknown, match="probably done"):
        await call(tools["shop_writeHuge"], {})


async def test_what_is_no_json_is_shown_as_text_and_much_is_cut(kit: Kit, shop: Shop) -> None:
    tools = await kit.tools(kit.link(url=at(shop)))
    text = (await call(tools["shop_readText"], {})).data
    assert text["answer"].startswith("plain⟦U+202E⟧ words")
    assert "13,000 characters" in text["cut"]
    many = (await call(tools["shop_readMany"], {})).data
    assert len(json.dumps(many)) < 13_000
    assert "of 5,000 rows" in many["cut"]
    assert [row["n"] for row in many["answer"][:3]] == [0, 1, 2]


async def test_only_reading_calls_follow_redirects_and_never_inwards(kit: Kit, shop: Shop) -> None:
    tools = await kit.tools(kit.link(url=at(shop)))
    assert (await call(tools["shop_readMoved"], {})).data == {"id": "moved"}
    with pytest.raises(ToolFailed, match="307, a redirect"):
        await call(tools["shop_writeMoved"], {})
    with pytest.raises(ToolFailed, match="not a public address"):
        await call(tools["shop_readInwards"], {})


async def test_private_addresses_are_refused(kit: Kit) -> None:
    with pytest.raises(Problem, match="not a public address"):
        await kit.openapi.look(kit.link(url="http://10.0.0.1/openapi.json"))


async def test_signing_in_with_a_header_or_a_token(kit: Kit, shop: Shop) -> None:
    for auth in (HeaderAuth("X-API-Key", KEY), BearerAuth(KEY)):
        tools = await kit.tools(kit.link(auth, url=at(shop)))
        done = await call(tools["shop_readPrivate"], {})
        assert KEY not in json.dumps(done.data)
        assert "•••" in json.dumps(done.data, ensure_ascii=False)
    assert KEY not in repr(kit.link(BearerAuth(KEY)))


async def test_signing_in_as_a_client_fetches_a_token_once_and_again_when_it_has_ended(
    kit: Kit, shop: Shop
) -> None:
    link = kit.link(ClientAuth(f"{shop.url}/token", CLIENT, CLIENT_SECRET), url=at(shop))
    tools = await kit.tools(link)
    for _ in range(3):
        assert (await call(tools["shop_readPrivate"], {})).said.endswith("200.")
    assert len(shop.tokens) == 1
    shop.tokens.append("another")  # the first is good no more
    assert (await call(tools["shop_readPrivate"], {})).said.endswith("200.")
    assert len(shop.tokens) == 3
    wrong = kit.link(ClientAuth(f"{shop.url}/nowhere", CLIENT, CLIENT_SECRET), url=at(shop))
    with pytest.raises(Problem, match="could not sign in: its token address answered 404"):
        await kit.openapi.look(wrong)


async def test_the_askers_own_token_is_passed_on_where_there_is_one(kit: Kit, shop: Shop) -> None:
    tools = await kit.tools(kit.link(AskerAuth(), url=at(shop)))
    with pytest.raises(ToolFailed, match="through the identity provider"):
        await call(tools["shop_readMe"], {})
    sealed = kit.vault.encrypt("eyJhead.body.signature", PERSON.user_id)
    done = await call(tools["shop_readMe"], {}, replace(PERSON, token=sealed))
    assert done.data == {"signed": True}
    assert shop.last[2]["authorization"] == "Bearer eyJhead.body.signature"
    with pytest.raises(ToolFailed, match="cannot be read any more"):
        await call(tools["shop_readMe"], {}, replace(PERSON, user_id="usr_other", token=sealed))


async def test_a_document_does_not_decide_who_sees_the_secret(kit: Kit, shop: Shop) -> None:
    shop.document_changes["servers"] = [{"url": "https://elsewhere.example"}]
    try:
        with pytest.raises(Problem, match="set it as base_url"):
            await kit.openapi.look(kit.link(BearerAuth(KEY), url=at(shop)))
        assert (await kit.openapi.look(kit.link(url=at(shop)))).tools
        assert (await kit.openapi.look(kit.link(BearerAuth(KEY), url=at(shop), base_url=shop.url))).tools
    finally:
        shop.document_changes.clear()


async def test_credentials_of_another_secret_say_what_to_do(kit: Kit) -> None:
    link = Link("con_2", "org_1", "openapi", "shop", None, None, kit.link(BearerAuth(KEY)).sealed)
    with pytest.raises(Problem, match="enter them again"):
        await kit.openapi.look(link)
