"""Sets of questions for `famulus eval retrieval`, made of what lies on any machine: nothing here was written for them.

code     what a function is for ─▶ the function, without its docstring: Python's library and what is installed
api      the summary of a function ─▶ its signature and the rest of its documentation, from the same
openapi  the summary of an operation ─▶ the operation without it: one OpenAPI document
hops     two or three passages along names: any corpus.jsonl whose passages have titles

A question of `hops` has the title of its first passage and the commonest words of what leads on and of the last one,
so that neither words nor meaning find the last one by themselves. What is chosen depends on hashes, never on chance.
"""

import argparse
import ast
import hashlib
import json
import re
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from famulus.knowledge.words import STOP

DOCUMENTS, QUESTIONS = 2_500, 200
SHORTEST = 4
"""Words of a question."""
LONGEST_FILE = 300_000
LONGEST_NAME = 6
"""Words."""
COMMONEST = 300
"""A word in more than one of so many passages tells little by itself."""
METHODS = frozenset("get put post delete patch head options trace".split())
_WORD = re.compile(r"[^\W_]+")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


@dataclass
class Made:
    """A set in the making."""

    documents: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    questions: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """Texts, each with the ids of its documents."""

    def add(self, title: str, text: str, question: str | None = None) -> None:
        """A document and, if it can be asked for, the question that it answers."""
        id = f"d{len(self.documents)}"
        self.documents.append({"id": id, "title": title, "text": text})
        if question and len(question.split()) >= SHORTEST:
            self.questions.setdefault(question, set()).add(id)

    def write(self, folder: Path) -> None:
        """As files; of many questions some, always the same ones."""
        folder.mkdir(parents=True, exist_ok=True)
        chosen = sorted(self.questions, key=_lot)[:QUESTIONS]
        lines = [f"q{n}\t{id}\t1" for n, text in enumerate(chosen) for id in sorted(self.questions[text])]
        asked = [{"id": f"q{n}", "text": text} for n, text in enumerate(chosen)]
        for name, rows in (("corpus", self.documents), ("queries", asked)):
            (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        (folder / "qrels.tsv").write_text("\n".join(lines) + "\n", "utf-8")
        print(f"{folder}: {len(self.documents)} documents, {len(chosen)} questions")


def _lot(text: str) -> bytes:
    return hashlib.blake2b(text.encode()).digest()


@dataclass(frozen=True)
class Function:
    """A documented function or method."""

    name: str
    """In full, with module and class."""
    summary: str
    rest: str
    """Of its docstring."""
    source: str
    """Without its docstring."""
    signature: str


def functions() -> Iterator[Function]:
    """Those of Python's library and of what is installed."""
    paths = sysconfig.get_paths()
    for root in dict.fromkeys((paths["stdlib"], paths["purelib"], paths["platlib"])):
        for path in sorted(Path(root).rglob("*.py")):
            parts = path.relative_to(root).parts
            if path.stat().st_size <= LONGEST_FILE and not {
                "test",
                "tests",
                "idlelib",
                "site-packages",
            } & set(parts):
                yield from _of_file(path, ".".join(parts).removesuffix(".py").removesuffix(".__init__"))


def _of_file(path: Path, module: str) -> Iterator[Function]:
    try:
        tree = ast.parse(path.read_text("utf-8"))
    except (SyntaxError, ValueError):
        return
    holders = [(tree, module), *((c, f"{module}.{c.name}") for c in tree.body if isinstance(c, ast.ClassDef))]
    for holder, name in holders:
        for node in holder.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (said := ast.get_docstring(node)):
                yield from _function(node, f"{name}.{node.name}", said)


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str, said: str) -> Iterator[Function]:
    first, _, rest = said.partition("\n\n")
    summary = _SENTENCE.split(" ".join(first.split()))[0].rstrip(".")
    node.body = node.body[1:]
    if node.body and summary.isascii():
        called = name.rsplit(".", 1)[0]
        yield Function(
            name, summary, rest.strip(), ast.unparse(node), f"{called}.{node.name}({ast.unparse(node.args)})"
        )


def code() -> Made:
    """What a function is for, and its source."""
    made = Made()
    fitting = [one for one in functions() if one.source.count("\n") >= 3]
    for one in sorted(fitting, key=lambda one: _lot(one.name))[:DOCUMENTS]:
        made.add("", one.source, one.summary)
    return made


def api() -> Made:
    """What a function is for, and the rest that is said of it."""
    made = Made()
    fitting = [
        one for one in functions() if len(one.rest) > 80 and not one.name.rsplit(".", 1)[1].startswith("_")
    ]
    for one in sorted(fitting, key=lambda one: _lot(one.name))[:DOCUMENTS]:
        made.add(one.name, f"{one.signature}\n\n{one.rest}", one.summary)
    return made


class _Parameter(msgspec.Struct):
    name: str = ""


class _Operation(msgspec.Struct, rename="camel"):
    operation_id: str = ""
    summary: str = ""
    description: str = ""
    parameters: list[_Parameter] = msgspec.field(default_factory=list[_Parameter])
    request_body: msgspec.Raw = msgspec.Raw(b"")
    responses: msgspec.Raw = msgspec.Raw(b"")


class _Document(msgspec.Struct):
    paths: dict[str, dict[str, msgspec.Raw]]


def openapi(path: Path) -> Made:
    """What an operation is for, and the operation."""
    made = Made()
    for address, item in msgspec.json.decode(path.read_bytes(), type=_Document).paths.items():
        for method in sorted(METHODS & item.keys()):
            one = msgspec.json.decode(item[method], type=_Operation)
            schemas = re.findall(rb'schemas/(\w+)"', bytes(one.request_body) + bytes(one.responses))
            known = [f"{method.upper()} {address}", one.description]
            known.append("Parameters: " + ", ".join(parameter.name for parameter in one.parameters))
            known.append("Schemas: " + ", ".join(name.decode() for name in schemas))
            made.add(one.operation_id, "\n\n".join(known), one.summary)
    return made


class Hops:
    """Passages that name one another."""

    def __init__(self, corpus: Path) -> None:
        decoder = msgspec.json.Decoder(dict[str, str])
        self.rows = [decoder.decode(line) for line in corpus.read_text("utf-8").split("\n") if line.strip()]
        counted = (set(_words(row["text"])) for row in self.rows)
        self.common = Counter(word for words in counted for word in words)
        called = [re.sub(r" \([^)]*\)$", "", row["title"]) for row in self.rows]
        once = Counter(map(str.lower, called))
        self.by_name = {
            name: at
            for at, name in enumerate(called)
            if once[name.lower()] == 1 and (" " in name or len(name) > 4) and name[:1].isupper()
        }

    def links(self, at: int) -> dict[int, str]:
        """Which passages a passage names, each with the sentence."""
        found: dict[int, str] = {}
        for sentence in _SENTENCE.split(self.rows[at]["text"]):
            words = list(_WORD.finditer(sentence))
            for n, first in enumerate(words):
                for last in words[n : n + LONGEST_NAME]:
                    other = self.by_name.get(sentence[first.start() : last.end()], at)
                    if other != at:
                        found.setdefault(other, sentence)
        return found

    def telling(self, text: str, without: set[str], most: int) -> list[str]:
        """The commonest of the words of a text that are no stop words, in their order."""
        enough = max(2, len(self.rows) // COMMONEST)
        words = [
            w
            for w in dict.fromkeys(_words(text))
            if w not in without and self.common[w] >= enough and w.isalpha()
        ]
        kept = set(sorted(words, key=lambda word: -self.common[word])[:most])
        return [word for word in words if word in kept]


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text) if len(word) > 2 and word.lower() not in STOP]


def hops(corpus: Path, depth: int) -> Made:
    """Questions that need so many passages."""
    known = Hops(corpus)
    made = Made(known.rows)
    for start in sorted(range(len(known.rows)), key=lambda at: _lot(known.rows[at]["title"])):
        way = [start]
        led: list[str] = []
        while len(way) < depth:
            onward = {to: said for to, said in known.links(way[-1]).items() if to not in way}
            if not onward:
                break
            to = min(onward, key=lambda at: _lot(f"{start} {at}"))
            led.append(onward[to])
            way.append(to)
        if len(way) == depth:
            rows = [known.rows[at] for at in way]
            named = {word for row in rows for word in _words(row["title"])}
            last = _SENTENCE.split(rows[-1]["text"])
            said = [w for sentence in led for w in known.telling(sentence, named, 2)]
            said += known.telling(last[min(1, len(last) - 1)], named, 3)
            if len(said) >= SHORTEST:
                made.questions[f"{' '.join(said)} {rows[0]['title']}?"] = {row["id"] for row in rows}
    return made


def main() -> None:
    """Make one set."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=("code", "api", "openapi", "hops"))
    parser.add_argument("folder", type=Path, help="where the set goes")
    parser.add_argument("--of", type=Path, help="the OpenAPI document, or the corpus.jsonl")
    parser.add_argument("--depth", type=int, default=2, help="passages of a question of `hops`")
    given = parser.parse_args()
    if given.kind in ("openapi", "hops") and given.of is None:
        sys.exit("Say with --of what to make it of.")
    match given.kind:
        case "code":
            made = code()
        case "api":
            made = api()
        case "openapi":
            made = openapi(given.of)
        case _:
            made = hops(given.of, given.depth)
    made.write(given.folder)


if __name__ == "__main__":
    main()
