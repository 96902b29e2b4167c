"""The model is written once for every engine: a portable subset of Ibis, held here by reading the source.

Outside the subset the same expression means something else on another engine, or breaks there, or
is wrong in silence. `test_dialects.py` compiles what is left for the engines themselves.
"""

from __future__ import annotations

import ast
import re

import pytest

from tests.contracts.code import Module, docstring_of, dotted, package_modules

FOLDERS = ("leadline.model", "leadline.metrics")
MODULES = [module for module in package_modules() if module.name.startswith(FOLDERS)]

FORBIDDEN_CALLS = {
    "no string SQL": {"sql", "raw_sql", "execute_sql"},
    "no arrays, maps or structs": {"array", "collect", "unnest", "struct", "map", "array_agg", "group_concat"},
    "no as-of join: take a union and a running maximum": {"asof_join"},
    "no first/last: rank with a total order and keep rank 0": {"first", "last", "arbitrary", "argmin", "argmax", "nth"},
    "no percentile in the engine: a histogram there, the curve in NumPy": {
        "quantile",
        "median",
        "approx_median",
        "approx_quantile",
        "approx_nunique",
        "mode",
    },
    "no clock and no chance: as-of is given": {"now", "today", "random", "uuid"},
    "no zone arithmetic: local days come from the calendar": {"strftime", "as_timestamp", "to_timestamp"},
}
OTHERS = {"np", "pa", "pc", "dt", "math"}
FORBIDDEN_CASTS = re.compile(r"timestamp\(['\"]|timestamp_tz|array|map<|struct|json|interval", re.IGNORECASE)
FLOAT_CAST = re.compile(r"float|double", re.IGNORECASE)
SQL_TEXT = re.compile(
    r"^\s*(select\b.*\bfrom\b|create\s+(or\s+replace\s+)?(table|view|schema)\b|insert\s+into\b|with\s+\w+\s+as\b|copy\b.*\bto\b|attach\b)",
    re.IGNORECASE | re.DOTALL,
)

# The exceptions, all of them, each with its reason.
ALLOWED: dict[tuple[str, str], str] = {
    ("leadline.metrics.assemble", "sql"): "shows the SQL of an expression beside the result; runs none",
    ("leadline.model.compiled", "sql"): "hands DuckDB the statement that was compiled from an expression",
    ("leadline.metrics.times.figures", "quantile"): "of a survival curve in NumPy, not of a column",
    ("leadline.model.store", "sql text"): "asks DuckDB's own catalogue, which Ibis 12 no longer can",
    ("leadline.model.money", "cast float64"): "a float proposes the quotient, decimals decide it exactly",
}


def calls(module: Module) -> list[tuple[str, ast.Call]]:
    """Name of the function or method called, and the call."""
    return [
        (node.func.attr if isinstance(node.func, ast.Attribute) else dotted(node.func), node)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
    ]


def faults(module: Module) -> list[str]:
    """Everything in a module that leaves the subset."""
    found: list[tuple[ast.AST, str, str]] = []
    for name, call in calls(module):
        for rule, names in FORBIDDEN_CALLS.items():
            # Only what is called on something is Ibis: a local function, NumPy and Arrow are another matter.
            if isinstance(call.func, ast.Attribute) and name in names and dotted(call.func.value) not in OTHERS:
                found.append((call, f"{name}: {rule}", name))
        if name == "cast" and call.args and isinstance(call.args[0], ast.Constant):
            kind = str(call.args[0].value)
            if FORBIDDEN_CASTS.search(kind):
                found.append((call, f"cast to {kind}: its meaning differs between engines", f"cast {kind}"))
            if FLOAT_CAST.search(kind) and "money" in module.name:
                found.append((call, f"cast to {kind}: money is never a float", f"cast {kind}"))
        found += [
            (call, "recursive query: engines differ; rounds are driven from Python", "recursive")
            for word in call.keywords
            if word.arg == "recursive"
        ]
    found += [(node, "SQL in a string: the model is Ibis expressions only", "sql text") for node in sql_texts(module)]
    return [f"{module.where(node)}: {text}" for node, text, key in found if (module.name, key) not in ALLOWED]


def sql_texts(module: Module) -> list[ast.Constant]:
    """String constants that are statements of SQL; docstrings are none."""
    docstrings = {id(doc.value) for node in ast.walk(module.tree) if (doc := docstring_of(node))}
    return [
        node
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in docstrings
        and SQL_TEXT.match(node.value)
    ]


def test_there_is_something_to_read():
    assert len(MODULES) > 5


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_only_the_portable_subset_is_used(module: Module):
    assert faults(module) == []


@pytest.mark.parametrize(
    "line",
    [
        "t.sql('select 1')",
        "t.x.collect()",
        "t.x.first()",
        "t.x.last().over(w)",
        "t.asof_join(u, 'at')",
        "t.x.quantile(0.9)",
        "ibis.now()",
        "t.x.cast(\"timestamp('Europe/Berlin')\").date()",
        "run('SELECT a FROM b')",
    ],
)
def test_the_lint_sees_what_it_forbids(line: str, tmp_path_factory: pytest.TempPathFactory):
    class Written(Module):
        def where(self, node: ast.AST) -> str:
            return f"{self.name}:{getattr(node, 'lineno', 1)}"

    path = tmp_path_factory.mktemp("lint") / "written.py"
    path.write_text(f'"""Select a from b."""\n{line}\n')
    assert len(faults(Written(path, "leadline.model.written"))) == 1


def test_every_exception_is_still_needed():
    """An entry of ALLOWED that nothing uses would hide the next fault."""
    used = set()
    for module in MODULES:
        for name, call in calls(module):
            if name == "cast" and call.args and isinstance(call.args[0], ast.Constant):
                used.add((module.name, f"cast {call.args[0].value!s}"))
            used.add((module.name, name))
        used |= {(module.name, "sql text") for _ in sql_texts(module)}
    assert set(ALLOWED) <= used
