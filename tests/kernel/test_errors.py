"""The error tree: every class in the package has a code of its own and says something when it is given no words."""

import importlib
import pkgutil

import famulus
from famulus.kernel.errors import FamulusError, FieldProblem, NotFound, TooMany, every_error


def whole_tree() -> list[type[FamulusError]]:
    """The errors of all rooms, which are known once their modules are."""
    for module in pkgutil.walk_packages(famulus.__path__, "famulus."):
        if ".migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return every_error()


def test_codes_are_unique() -> None:
    tree = [error for error in whole_tree() if error.__module__.startswith("famulus.")]
    codes = [error.code for error in tree]

    assert sorted(code for code in set(codes) if codes.count(code) > 1) == []


def test_every_error_has_a_sentence_and_a_sensible_status() -> None:
    for error in whole_tree():
        sentence = (error.__doc__ or "").strip().split("\n")[0]
        assert sentence.endswith((".", "!", "?")), f"{error.__name__}: {sentence!r}"
        assert 400 <= error.status <= 599, error.__name__
        assert error.title, error.__name__


def test_each_error_is_listed_once_and_after_its_parent() -> None:
    tree = whole_tree()

    assert len(tree) == len(set(tree))
    for error in tree[1:]:
        assert any(parent in tree[: tree.index(error)] for parent in error.__bases__)


def test_the_docstring_is_the_message_unless_another_is_given() -> None:
    assert str(NotFound()) == "There is nothing here that you may see."
    assert str(NotFound("No such course.")) == "No such course."


def test_fields_and_waiting_time_are_carried() -> None:
    problem = FieldProblem("body.title", "Give it a title.")
    error = TooMany(fields=(problem,), retry_after=2.5)

    assert (error.fields, error.retry_after, error.retry) == ((problem,), 2.5, True)
