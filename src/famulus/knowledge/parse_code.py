"""Code: by symbol where its language is understood, by stretches of lines where it is not."""

from pathlib import PurePosixPath

from famulus.knowledge.blocks import Content, Unparsable, clean
from famulus.knowledge.calls import in_one_file
from famulus.knowledge.grammars import GRAMMARS
from famulus.knowledge.parse_python import python_calls, python_spans
from famulus.knowledge.spans import Span, sections_of

LANGUAGES: dict[str, str] = {
    **dict.fromkeys((".py", ".pyi"), "python"),
    **dict.fromkeys((".js", ".mjs", ".cjs", ".jsx"), "javascript"),
    **dict.fromkeys((".ts", ".mts", ".cts"), "typescript"),
    ".tsx": "tsx",
    ".java": "java",
    ".go": "go",
    ".rs": "rust",
    ".c": "c",
    **dict.fromkeys((".h", ".cc", ".cpp", ".cxx", ".hh", ".hpp", ".hxx"), "cpp"),
    **dict.fromkeys((".sh", ".bash"), "bash"),
    **{
        f".{each}": each
        for each in ("sql", "rb", "php", "cs", "kt", "swift", "scala", "lua", "jl", "r", "proto")
    },
}
"""By the ending of the name in lower case."""
LONGEST_LINES = 300
"""Characters of a file's lines on average, beyond which no person has written it."""


def parse_code(text: str, path: str, place: str | None = None) -> Content:
    """One section a symbol, each with its lines; raises `Unparsable` for what a machine has written.

    `place`: where it is in its source.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = clean(text).split("\n")
    if len(text) > LONGEST_LINES * (len(lines) + 3):
        raise Unparsable("This code has been minified or generated; it is not read.")
    language = LANGUAGES[PurePosixPath(path).suffix.lower()]
    notes: list[str] = []
    spans: list[Span] = []
    above: tuple[str, ...] = ("#",)
    if language == "python":
        try:
            spans = python_spans(text)
        except ValueError:
            notes.append("This is no Python that can be read here; taken in by lines instead of symbols.")
    elif language in GRAMMARS:
        from famulus.knowledge.parse_trees import tree_spans  # lazy: only where there is a grammar to load

        spans, above = tree_spans(text, language), GRAMMARS[language].above
    sections = sections_of(lines, spans, language, above)
    in_one_file(sections, place or path)
    if language == "python" and spans:
        python_calls(text, sections, place or path)
    return Content(path, sections, notes)
