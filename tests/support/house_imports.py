"""The rule that nothing happens at import: which calls a module may make while it is being loaded.

A call is quiet when its name is on the list below (it builds a value and touches nothing), or when it is of
a function or class of this package whose own body makes quiet calls only. Decorators register and are let be;
what stands inside a function runs later and is looked at only when the function is called at import.
"""

import ast
from collections.abc import Iterator, Mapping

from tests.support.house import Function, Offence, Source, dotted

QUIET = frozenset(
    """
    TypeVar ParamSpec NewType TypeAliasType NamedTuple TypedDict Enum auto cast
    ContextVar getLogger get_logger compile escape Lock
    dataclass field fields replace Struct Meta Raw Decoder Encoder defstruct
    Field PrivateAttr ConfigDict SettingsConfigDict AliasChoices AliasPath BeforeValidator AfterValidator
    PlainSerializer StringConstraints TypeAdapter Discriminator Tag SecretStr create_model
    APIRouter Depends Security Query Path Body Header Cookie File Form Typer Option Argument
    MetaData Table Column ForeignKey ForeignKeyConstraint Index UniqueConstraint CheckConstraint
    PrimaryKeyConstraint mapped_column relationship column_property synonym Identity Computed Sequence
    Integer BigInteger SmallInteger String Text Float Boolean DateTime LargeBinary JSON Numeric
    text column table bindparam literal func lower
    frozenset set tuple list dict str bytes int float bool range len zip enumerate sorted reversed map filter
    min max sum abs chr ord repr slice type super object property partial itemgetter attrgetter
    MappingProxyType Decimal Fraction timedelta timezone date datetime PurePath PurePosixPath Template
    namedtuple deque OrderedDict ChainMap count files dedent maketrans fromkeys from_iterable
    upper lower title strip lstrip rstrip split rsplit splitlines partition rpartition join format replace
    removeprefix removesuffix encode decode startswith endswith keys values items union with_name
    total_seconds fromhex fromisoformat sha256 hexdigest digest
    ValueError TypeError
    """.split()
)
"""Last parts of names, so `re.compile` is `compile`. Nothing here opens, connects, reads or starts."""

LOUD_MODULES = ("os", "sys", "shutil", "subprocess", "asyncio", "socket")
"""Modules whose functions work on the process or the machine, whatever they are called."""

LOUD_ENDINGS = ("Service", "Client", "Engine", "Session", "Pool", "Server", "Application")
"""What is built once by the application and handed on, however quietly its `__init__` goes about it."""


class Package:
    """The files of the package by module name, so that a call can be followed to what it calls."""

    def __init__(self, name: str, sources: Mapping[str, Source]) -> None:
        self.name = name
        self.sources = sources

    def loud_calls(self, source: Source) -> list[Offence]:
        """Calls made while `source` is imported that are not quiet."""
        return [
            Offence(f"{source.path}::{dotted(call.func)}", call.lineno, "called at import")
            for call in _calls_at_import(source.tree.body)
            if not self._is_quiet(call, source, frozenset())
        ]

    def _is_quiet(self, call: ast.Call, source: Source, following: frozenset[tuple[str, str]]) -> bool:
        name = dotted(call.func)
        last = name.split(".")[-1]
        here = (source.path, last)
        if here in following:
            return True
        found = self._definition(name, source)
        if found is None:
            return last in QUIET and name.split(".")[0] not in LOUD_MODULES
        if last.endswith(LOUD_ENDINGS):
            return False
        owner, node = found
        if isinstance(node, ast.ClassDef) and any(dotted(base) == "BaseSettings" for base in node.bases):
            return False
        return all(self._is_quiet(inner, owner, following | {here}) for inner in _calls_when_called(node))

    def _definition(self, name: str, source: Source) -> tuple[Source, ast.AST] | None:
        for node in source.tree.body:
            if isinstance(node, Function | ast.ClassDef) and node.name == name:
                return source, node
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == self.name:
                for alias in node.names:
                    target = self.sources.get(node.module or "")
                    if (alias.asname or alias.name) == name and target is not None:
                        return self._definition(alias.name, target)
        return None


def _calls_at_import(body: list[ast.stmt]) -> Iterator[ast.Call]:
    for statement in body:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _calls_of_defaults(statement)
            case ast.ClassDef():
                for keyword in statement.keywords:
                    yield from _calls_in(keyword.value)
                yield from _calls_at_import(statement.body)
            case _:
                yield from _calls_in(statement)


def _calls_of_defaults(function: Function) -> Iterator[ast.Call]:
    for default in (*function.args.defaults, *function.args.kw_defaults):
        if default is not None:
            yield from _calls_in(default)


def _calls_in(node: ast.AST) -> Iterator[ast.Call]:
    """Every call that is made when `node` is evaluated: not those inside a lambda or a nested definition."""
    if isinstance(node, ast.Lambda | Function):
        return
    if isinstance(node, ast.ClassDef):
        yield from _calls_at_import([node])
        return
    if isinstance(node, ast.Call):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from _calls_in(child)


def _calls_when_called(node: ast.AST) -> Iterator[ast.Call]:
    if isinstance(node, ast.ClassDef):
        makers = ("__init__", "__post_init__", "__new__")
        bodies = [item.body for item in node.body if isinstance(item, Function) and item.name in makers]
    else:
        bodies = [node.body] if isinstance(node, Function) else []
    for body in bodies:
        for statement in body:
            yield from _calls_in(statement)
