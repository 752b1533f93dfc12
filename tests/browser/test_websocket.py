"""The WebSocket from a page: with its cookie, by sub-protocol, by ticket; under the policy that pages are given."""

import pytest
from playwright.sync_api import Browser

from tests.support.academy import PASSWORD
from tests.support.serving import Served

TALK = """
async ([how, email, password]) => {
  const sign = (mode) => fetch("/api/auth/login", {
    method: "POST", headers: {"Content-Type": "application/json"},
    body: JSON.stringify({email, password, session_mode: mode}),
  }).then((answer) => answer.json());
  let query = "", protocols = [];
  if (how === "cookie") await sign("web");
  else {
    const token = (await sign("api")).access_token;
    if (how === "protocol") protocols = ["famulus.v1", "bearer." + token];
    else {
      const headers = {Authorization: "Bearer " + token};
      query = "?ticket=" + (await (await fetch("/api/v1/ws-tickets", {method: "POST", headers})).json()).ticket;
    }
  }
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/ws/ai-assistant" + query, protocols);
  const frames = [];
  return new Promise((resolve) => {
    socket.onopen = () => socket.send(JSON.stringify({type: "user_message", content: "Hello."}));
    socket.onmessage = (event) => {
      frames.push(JSON.parse(event.data));
      if (["done", "error"].includes(frames.at(-1).type)) resolve(frames);
    };
    socket.onclose = (event) => resolve([...frames, {type: "closed", code: event.code}]);
  });
}
"""


@pytest.mark.browser
@pytest.mark.parametrize("how", ["cookie", "protocol", "ticket"])
def test_a_page_talks_over_a_websocket(browser: Browser, embedded: Served, how: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(embedded.url)
    frames = page.evaluate(TALK, [how, "student@famulus.local", PASSWORD])
    context.close()
    assert frames[0]["stage"] == "accepted"
    assert frames[-1]["status"] == "completed"
    assert "".join(each["text"] for each in frames if each["type"] == "delta") == frames[-2]["text"]
