"""Which nodes of each language's tree-sitter grammar are symbols, and which of them have symbols inside."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grammar:
    """One language as its grammar names things."""

    module: str
    """The package of the grammar."""
    plain: frozenset[str]
    """Symbols without others inside."""
    outer: frozenset[str]
    """Symbols inside which there are others."""
    around: frozenset[str]
    """What is wrapped around symbols without being one."""
    joint: str = "."
    """Between a symbol and what it is inside of."""
    function: str = "language"
    above: tuple[str, ...] = ("//",)
    """Beginnings of lines that speak of the symbol below them."""


_JS = frozenset(
    """function_declaration generator_function_declaration method_definition lexical_declaration variable_declaration
    field_definition""".split()
)
_JS_AROUND = frozenset(("export_statement", "class_body"))
_TS = _JS | {"interface_declaration", "type_alias_declaration", "enum_declaration", "public_field_definition"}
_TS_OUTER = frozenset(("class_declaration", "abstract_class_declaration", "internal_module", "module"))
_TS_AROUND = _JS_AROUND | {"ambient_declaration", "expression_statement", "statement_block"}
_C_AROUND = frozenset(
    "preproc_ifdef preproc_if preproc_else preproc_elif linkage_specification declaration_list".split()
)
_C = frozenset(("function_definition", "enum_specifier", "union_specifier", "type_definition"))

GRAMMARS: dict[str, Grammar] = {
    "javascript": Grammar(
        "tree_sitter_javascript", plain=_JS, outer=frozenset(("class_declaration",)), around=_JS_AROUND
    ),
    "typescript": Grammar(
        "tree_sitter_typescript",
        plain=_TS,
        outer=_TS_OUTER,
        around=_TS_AROUND,
        function="language_typescript",
    ),
    "tsx": Grammar(
        "tree_sitter_typescript", plain=_TS, outer=_TS_OUTER, around=_TS_AROUND, function="language_tsx"
    ),
    "java": Grammar(
        "tree_sitter_java",
        plain=frozenset(("method_declaration", "constructor_declaration", "compact_constructor_declaration")),
        outer=frozenset(
            """class_declaration interface_declaration enum_declaration record_declaration
            annotation_type_declaration""".split()
        ),
        around=frozenset(("enum_body_declarations",)),
    ),
    "go": Grammar(
        "tree_sitter_go",
        plain=frozenset(("function_declaration", "method_declaration", "type_declaration")),
        outer=frozenset(),
        around=frozenset(),
    ),
    "rust": Grammar(
        "tree_sitter_rust",
        plain=frozenset(("function_item", "struct_item", "enum_item", "union_item", "macro_definition")),
        outer=frozenset(("trait_item", "impl_item", "mod_item")),
        around=frozenset(),
        joint="::",
        above=("//", "#["),
    ),
    "c": Grammar("tree_sitter_c", plain=_C | {"struct_specifier"}, outer=frozenset(), around=_C_AROUND),
    "cpp": Grammar(
        "tree_sitter_cpp",
        plain=_C,
        outer=frozenset(("class_specifier", "struct_specifier", "namespace_definition")),
        around=_C_AROUND | {"template_declaration"},
        joint="::",
        above=("//", "template"),
    ),
}
"""By the name of the language."""
