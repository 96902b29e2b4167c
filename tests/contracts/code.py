"""The program as data: every module parsed once, and what the contract tests ask about it."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "leadline"

Function = ast.FunctionDef | ast.AsyncFunctionDef
_LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


@dataclass(frozen=True)
class Module:
    """One Python file: `name` is dotted (leadline.model.people), or its path for files outside the package."""

    path: Path
    name: str

    @cached_property
    def text(self) -> str:
        """The source."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed source."""
        return ast.parse(self.text, filename=str(self.path))

    @cached_property
    def lines(self) -> list[str]:
        """Source lines; line n of the file is `lines[n - 1]`."""
        return self.text.splitlines()

    @cached_property
    def code_lines(self) -> frozenset[int]:
        """Numbers of the lines that hold code: no blank line, comment or docstring."""
        numbers: set[int] = set()
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type not in _LAYOUT:
                numbers.update(range(token.start[0], token.end[0] + 1))
        for node in ast.walk(self.tree):
            if docstring := docstring_of(node):
                numbers.difference_update(range(docstring.lineno, (docstring.end_lineno or 0) + 1))
        return frozenset(numbers)

    def where(self, node: ast.AST) -> str:
        """`src/leadline/x.py:12`, for messages."""
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"

    def functions(self) -> Iterator[Function]:
        """All functions and methods, nested ones too."""
        for node in ast.walk(self.tree):
            if isinstance(node, Function):
                yield node

    def size_of(self, function: Function) -> int:
        """Code lines of one function."""
        return len(self.code_lines & set(range(function.lineno, (function.end_lineno or 0) + 1)))


def docstring_of(node: ast.AST) -> ast.Expr | None:
    """The docstring statement of a module, class or function; also the text below an attribute."""
    if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or not node.body:
        return None
    first = node.body[0]
    is_text = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    return first if is_text else None  # type: ignore[return-value]  # narrowed by is_text


def _name_of(path: Path) -> str:
    parts = list(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def package_modules() -> list[Module]:
    """Every module of the package."""
    return [Module(path, _name_of(path)) for path in sorted(PACKAGE.rglob("*.py"))]


def modules_of(*folders: str) -> list[Module]:
    """Every Python file below folders of the repository."""
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [Module(path, str(path.relative_to(ROOT))) for path in paths]


def dotted(node: ast.AST) -> str:
    """`a.b.c` for a chain of names, with `()` for calls left out; an empty string for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        head = dotted(node.value)
        return f"{head}.{node.attr}" if head else ""
    return ""


@dataclass(frozen=True)
class Import:
    """One import of a module of the package: who, whom, where."""

    module: Module
    target: str
    node: ast.stmt


def imports(modules: list[Module]) -> list[Import]:
    """Imports between modules of the package, those inside functions and TYPE_CHECKING too."""
    known = {module.name for module in modules}
    found: list[Import] = []
    for module in modules:
        for node in ast.walk(module.tree):
            for target in _targets(module, node, known):
                if target != module.name:
                    found.append(Import(module, target, node))  # type: ignore[arg-type]  # an import statement
    return found


def _targets(module: Module, node: ast.AST, known: set[str]) -> set[str]:
    if isinstance(node, ast.Import):
        names = {alias.name for alias in node.names}
    elif isinstance(node, ast.ImportFrom):
        base = _absolute(module, node)
        submodules = {f"{base}.{alias.name}" for alias in node.names} & known
        takes_own_names = any(f"{base}.{alias.name}" not in known for alias in node.names)
        names = submodules | ({base} if takes_own_names else set())
    elif isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] in {"import_module", "__import__"}:
        names = {str(argument.value) for argument in node.args[:1] if isinstance(argument, ast.Constant)}
    else:
        return set()
    return {_known_prefix(name, known) for name in names if name.partition(".")[0] == "leadline"} - {""}


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    is_package = module.path.name == "__init__.py"
    parts = module.name.split(".")
    base = parts[: len(parts) - node.level + (1 if is_package else 0)]
    return ".".join([*base, *(node.module.split(".") if node.module else [])])


def _known_prefix(name: str, known: set[str]) -> str:
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name
