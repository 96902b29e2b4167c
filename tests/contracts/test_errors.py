"""Faults in a call are one tree of exceptions: drawn, raised and tested."""

from __future__ import annotations

import ast
import inspect
import re

from leadline import errors
from leadline.errors import LeadlineError
from tests.contracts.code import dotted, modules_of, package_modules

MODULES = package_modules()
CLASSES = {name: one for name, one in vars(errors).items() if inspect.isclass(one) and issubclass(one, LeadlineError)}


def drawn_tree() -> dict[str, str | None]:
    """Class → parent, as the docstring of the module draws it by indentation."""
    lines = re.findall(r"^( +)(\w+(?:Error))\b", errors.__doc__ or "", re.MULTILINE)
    tree: dict[str, str | None] = {}
    trail: list[tuple[int, str]] = []
    for indent, name in lines:
        trail = [one for one in trail if one[0] < len(indent)]
        tree[name] = trail[-1][1] if trail else None
        trail.append((len(indent), name))
    return tree


def test_the_drawn_tree_is_the_tree():
    parents = {name: one.__mro__[1].__name__ if one is not LeadlineError else None for name, one in CLASSES.items()}
    assert drawn_tree() == parents


def test_exit_codes_are_as_drawn():
    assert {name: one.exit_code for name, one in CLASSES.items() if "exit_code" in vars(one)} == {
        "LeadlineError": 1,
        "UsageError": 2,
    }


def bases_of(node: ast.ClassDef) -> set[str]:
    """Last parts of the names of the base classes."""
    return {dotted(base).rpartition(".")[2] for base in node.bases}


def test_every_exception_stands_in_one_place():
    """A class elsewhere that is an exception would be one no caller expects."""
    known = set(CLASSES) | {name for name in vars(__import__("builtins")) if name.endswith(("Error", "Exception"))}
    strays = [
        module.where(node)
        for module in MODULES
        if module.name != "leadline.errors"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef) and bases_of(node) & known
    ]
    assert not strays, f"move these to errors.py: {strays}"


def raised_names() -> set[str]:
    """Names of classes in `raise X(...)`, `raise errors.X(...)` and in functions that return one to be raised."""
    names = set()
    for module in MODULES:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and (name := dotted(node.func).rpartition(".")[2]) in CLASSES:
                names.add(name)
    return names


def test_every_kind_of_error_is_raised():
    leaves = {name for name, one in CLASSES.items() if not one.__subclasses__()}
    idle = sorted(leaves - raised_names())
    assert not idle, f"nothing raises these: {idle}"


def test_every_raised_error_is_tested():
    expected = {
        dotted(name).rpartition(".")[2]
        for module in modules_of("tests")
        for call in ast.walk(module.tree)
        if isinstance(call, ast.Call) and dotted(call.func).endswith("raises")
        for argument in call.args[:1]
        for name in ast.walk(argument)
        if isinstance(name, ast.Name | ast.Attribute)
    }
    untested = sorted(raised_names() - expected)
    assert not untested, f"no test expects these: {untested}"


# Python's own exceptions say "a programmer erred"; these are the ones that may leave a function.
PROGRAMMING = {"ValueError", "TypeError", "KeyError", "IndexError", "AttributeError", "AssertionError", "StopIteration"}


def test_only_own_errors_are_raised():
    """Of Python's own, only those that tell of a wrong call from inside; of the web's, answers with their status."""
    foreign = []
    for module in MODULES:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Raise) and node.exc is not None:
                target = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
                name = dotted(target).rpartition(".")[2]
                answered = name == "HTTPException" and module.name.startswith("leadline.web.")
                known = name in CLASSES or name in PROGRAMMING or answered
                if name.endswith(("Error", "Exception")) and not known:
                    foreign.append(f"{module.where(node)}: {name}")
    assert not foreign, "\n".join(foreign)
