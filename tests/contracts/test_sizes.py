"""Sizes at which a program can still be read, full docstrings and full type hints."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.contracts.code import Function, Module, docstring_of, package_modules

MODULES = package_modules()


def ninth_tenth(sizes: list[int]) -> int:
    """The size that nine tenths of the values do not exceed."""
    return sorted(sizes)[int(0.9 * (len(sizes) - 1))]


def test_modules_are_small():
    sizes = {module.name: len(module.code_lines) for module in MODULES}
    large = {name: size for name, size in sizes.items() if size > 500}
    assert not large, f"over 500 code lines, split them by what they are about: {large}"
    assert ninth_tenth(list(sizes.values())) <= 250, sorted(sizes.items(), key=lambda one: -one[1])[:12]


def test_functions_are_small():
    sizes = {f"{module.where(one)} {one.name}": module.size_of(one) for module in MODULES for one in module.functions()}
    large = {name: size for name, size in sizes.items() if size > 50}
    assert not large, f"over 50 code lines: {large}"
    assert ninth_tenth(list(sizes.values())) <= 20, sorted(sizes.items(), key=lambda one: -one[1])[:25]


def public_nodes(module: Module) -> Iterator[tuple[str, ast.AST]]:
    """The module, its public classes, functions and methods; nothing nested in a function."""
    yield module.name, module.tree
    waiting: list[tuple[str, ast.Module | ast.ClassDef]] = [(module.name, module.tree)]
    while waiting:
        prefix, parent = waiting.pop()
        for node in parent.body:
            if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
                yield f"{prefix}.{node.name}", node
                if isinstance(node, ast.ClassDef):
                    waiting.append((f"{prefix}.{node.name}", node))


def test_public_names_say_what_they_are():
    named = [(name, docstring_of(node) is not None) for module in MODULES for name, node in public_nodes(module)]
    bare = [name for name, has in named if not has]
    share = 1 - len(bare) / len(named)
    assert share >= 0.95, f"{share:.1%} of the public names have a docstring; without: {bare}"


def unannotated(function: Function) -> list[str]:
    """Parameters without a type, and `return`; the first parameter of a method needs none."""
    parameters = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    parameters += [one for one in (function.args.vararg, function.args.kwarg) if one]
    bare = [one.arg for one in parameters if one.annotation is None and one.arg not in {"self", "cls"}]
    return bare + ([] if function.returns is not None or function.name == "__init__" else ["return"])


def test_every_parameter_and_return_has_its_type():
    bare = [
        f"{module.where(function)} {function.name}: {', '.join(names)}"
        for module in MODULES
        for function in module.functions()
        if (names := unannotated(function))
    ]
    assert not bare, "\n".join(bare)
