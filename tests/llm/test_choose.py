"""One string chooses the model, and says what to write when it cannot."""

from pathlib import Path

import pytest

from famulus.kernel.errors import ConfigurationError
from famulus.llm.choose import default_choice, open_model


@pytest.mark.parametrize(
    ("choice", "kind", "name"),
    [
        ("offline", "offline", "offline"),
        (" Offline ", "offline", "offline"),
        ("openai:gpt-x", "openai", "gpt-x"),
        ("compatible:org/model:7b", "compatible", "org/model:7b"),
        ("Anthropic:claude-x", "anthropic", "claude-x"),
    ],
)
async def test_choices(choice: str, kind: str, name: str):
    model = open_model(choice, base_url="http://localhost:1", openai_api_key="sk-x", anthropic_api_key="sk-a")
    assert (model.kind, model.name) == (kind, name)
    await model.close()


def test_a_script_is_read_at_once(tmp_path: Path):
    script = tmp_path / "replies.md"
    script.write_text("Hello.", "utf-8")
    model = open_model(f"scripted:{script}")
    assert (model.kind, model.name) == ("scripted", "replies.md")


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        ("", "Write `offline`, `scripted:PATH`, `openai:NAME`, `responses:NAME`"),
        ("gpt-x", "write `openai:gpt-x`"),
        ("offline:x", "Write `offline`"),
        ("openai:", "after the colon"),
        ("scripted", "after the colon"),
        ("openai:gpt-x", "OPENAI_API_KEY"),
        ("compatible:llama", "FAMULUS_MODEL_BASE_URL"),
        ("anthropic:", "after the colon"),
        ("responses:gpt-x", "FAMULUS_MODEL_BASE_URL"),
        ("anthropic:claude-x", "ANTHROPIC_API_KEY"),
        ("claude-x", "write `anthropic:claude-x`"),
        ("magic:x", "not known"),
        ("scripted:/nowhere/replies.md", "no such file"),
    ],
)
def test_mistakes_say_what_to_write(choice: str, says: str):
    with pytest.raises(ConfigurationError) as raised:
        open_model(choice)
    assert says in raised.value.detail


def test_the_default_follows_the_key():
    assert default_choice(None) == default_choice("") == "offline"
    assert default_choice("sk-x").startswith("openai:gpt-")
    assert default_choice(None, "sk-a").startswith("anthropic:claude-")
    assert default_choice("sk-x", "sk-a") == default_choice("sk-x")
