"""What assistants of ours are told to begin with: templates in files."""

from importlib.resources import files


def given_instructions(name: str) -> str:
    """The template `instructions/{name}.md`, for a role or for all."""
    return files("famulus.assistants").joinpath("instructions", f"{name}.md").read_text("utf-8")
