"""`famulus import openai-export`: threads of the closed Assistants API become a person's own."""

import json
from pathlib import Path
from typing import Any

import pytest

from famulus.cli.main import main
from tests.support.openai_client import client_of
from tests.support.serving import Served, furnished


def message(n: int, thread: str, role: str, *texts: str, **more: Any) -> dict[str, Any]:
    content = [{"type": "text", "text": {"value": text, "annotations": []}} for text in texts]
    line = {
        "object": "thread.message",
        "id": f"msg_{n}",
        "thread_id": thread,
        "created_at": 1_700_000_000 + n,
    }
    return {**line, "role": role, "content": content, **more}


LINES = [
    message(3, "thread_a", "assistant", "Where a river begins."),
    {"object": "thread", "id": "thread_a", "created_at": 1_700_000_000, "metadata": {"lesson": "3", "n": 1}},
    {"object": "list", "data": [message(2, "thread_a", "user", "What is a spring?", "Really?")]},
    message(5, "thread_b", "user", content=[{"type": "image_file", "image_file": {"file_id": "x"}}]),
    message(6, "thread_b", "user", "And a delta?"),
    {"object": "thread.run", "id": "run_1", "status": "completed"},
    {"object": "thread", "id": "thread_empty", "created_at": 1_700_000_000},
]


@pytest.fixture(scope="module")
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with furnished("sqlite", tmp_path_factory.mktemp("exports"), request) as running:
        yield running


def test_an_export(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FAMULUS_DATABASE_URL", served.settings.database_url or "")
    file = tmp_path / "export.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in LINES) + "\n\n{broken\n", encoding="utf-8")
    course = served.academy.ids["course"]
    words = ["import", "openai-export", str(file), "--as", "student@famulus.local", "--course", course]
    said = []
    for extra in (["--dry-run"], [], []):
        with pytest.raises(SystemExit) as ended:
            main([*words, *extra])
        assert ended.value.code == 1, "a line could not be read"
        said.append(capsys.readouterr().out)
    assert "2 threads with 3 messages, 2 of them new; 1 pieces that are no text" in said[0]
    assert "Nothing was kept" in said[0]
    assert "2 threads with 3 messages, 2 of them new" in said[1]
    assert "0 of them new" in said[2]
    assert "line 9:" in said[1]
    with served.client("student") as http:
        listed = http.get("/api/v1/threads", params={"course_id": course, "limit": "100"}).json()["items"]
        [mine] = [each for each in listed if each["title"] == "What is a spring? Really?"]
        assert mine["created_at"] == "2023-11-14T22:13:20Z"
        told = http.get(f"/api/v1/threads/{mine['id']}/messages").json()["items"]
        assert [(each["role"], each["text"]) for each in told] == [
            ("user", "What is a spring?\n\nReally?"),
            ("assistant", "Where a river begins."),
        ]
        assert told[0]["created_at"].startswith("2023-11-14T22:13:22")
    with client_of(served) as client:
        id = mine["id"].replace("thr", "conv")
        assert client.conversations.retrieve(id).metadata == {"lesson": "3", "openai_thread": "thread_a"}
        after = client.responses.create(model=course, input="Hello.", conversation=id)
        assert after.output_text.startswith("One two three.")
    with served.client("classmate") as http:
        assert http.get(f"/api/v1/threads/{mine['id']}").status_code == 404


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["import", "openai-export", str(tmp_path / "none.jsonl")])
    assert ended.value.code == 2
    assert "cannot be read" in capsys.readouterr().err
