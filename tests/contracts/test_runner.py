"""A strict runner: every test runs, can fail, is exact, and reaches nothing outside."""

from __future__ import annotations

import ast
import socket

import pytest

from tests.conftest import NetworkRefusedError
from tests.contracts.code import Function, Module, dotted, modules_of

TESTS = modules_of("tests", "benchmarks")
TEST_FUNCTIONS = [
    (module, function)
    for module in TESTS
    if module.path.name.startswith("test_")
    for function in module.functions()
    if function.name.startswith("test_")
]
TOLERANCES = {"rel", "abs", "rtol", "atol", "rel_tol", "abs_tol", "tolerance"}
# Built from parts, so that these lines do not find themselves.
SILENCERS = {"sk" + "ip", "sk" + "ipif", "import" + "orskip", "x" + "fail", "sk" + "ipTest"}


def calls_in(node: ast.AST) -> list[ast.Call]:
    """Every call below a node."""
    return [one for one in ast.walk(node) if isinstance(one, ast.Call)]


def test_nothing_is_skipped():
    """One place may: `shared_data`, on a machine without the real data sets, and there CI fails."""
    found = [
        f"{module.where(node)}: {dotted(node)}"
        for module in TESTS
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        and node.attr in SILENCERS
        and dotted(node).startswith(("pytest.", "unittest.", "self."))
    ]
    assert [one for one in found if not one.startswith("tests/conftest.py")] == []
    assert len(found) == 1


def number_in(node: ast.expr, module: Module) -> float | None:
    """The value of a literal number, or of a constant of the module."""
    if isinstance(node, ast.Name):
        values = [
            one.value for one in module.tree.body if isinstance(one, ast.Assign) and dotted(one.targets[0]) == node.id
        ]
        return number_in(values[0], module) if values else None
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def tolerances(module: Module) -> list[tuple[ast.keyword, ast.Call]]:
    """Keyword arguments that loosen a comparison, with the call they stand in."""
    return [(word, call) for call in calls_in(module.tree) for word in call.keywords if word.arg in TOLERANCES]


def test_no_tolerance_of_a_tenth():
    loose = [
        f"{module.where(word.value)}: {word.arg}={ast.unparse(word.value)}"
        for module in TESTS
        for word, _ in tolerances(module)
        if (value := number_in(word.value, module)) is not None and value >= 0.1
    ]
    assert not loose, "\n".join(loose)


def test_each_tolerance_has_its_reason_beside_it():
    """A comment on the lines of the call or right above it, or at the constant it is taken from. Zero needs none."""
    silent = []
    for module in TESTS:
        for word, call in tolerances(module):
            if (isinstance(word.value, ast.Name) and word.value.id.isupper()) or number_in(word.value, module) == 0:
                continue
            first, last = call.lineno - 1, call.end_lineno or call.lineno
            beside = module.lines[max(0, first - 2) : last]
            if not any("#" in line or '"""' in line for line in beside):
                silent.append(f"{module.where(call)}: {word.arg}={ast.unparse(word.value)}")
    assert not silent, "\n".join(silent)


def can_fail(function: Function) -> bool:
    """Whether a test asserts: itself, by `raises`/`warns`, or through a helper named for it."""
    if any(isinstance(node, ast.Assert) for node in ast.walk(function)):
        return True
    called = {dotted(call.func).rpartition(".")[2] for call in calls_in(function)}
    return any(name in {"raises", "warns"} or name.startswith(("assert_", "check_", "expect_")) for name in called)


def test_each_test_can_fail():
    idle = [f"{module.where(one)} {one.name}" for module, one in TEST_FUNCTIONS if not can_fail(one)]
    assert not idle, "\n".join(idle)


def test_test_names_are_unique_in_their_file():
    """A second definition hides the first, which then never runs."""
    hidden = []
    for module in TESTS:
        for owner in ast.walk(module.tree):
            if isinstance(owner, ast.Module | ast.ClassDef):
                names = [node.name for node in owner.body if isinstance(node, ast.ClassDef | Function)]
                hidden += [f"{module.name}: {name}" for name in sorted(set(names)) if names.count(name) > 1]
    assert not hidden, "\n".join(hidden)


def is_fixture(decorator: ast.expr) -> bool:
    """Whether a decorator makes a fixture."""
    return dotted(decorator.func if isinstance(decorator, ast.Call) else decorator) in {"pytest.fixture", "fixture"}


def test_no_fixture_is_dead():
    fixtures: dict[str, str] = {}
    used: set[str] = set()
    for module in TESTS:
        for function in module.functions():
            used |= {one.arg for one in [*function.args.args, *function.args.kwonlyargs]}
            for decorator in filter(is_fixture, function.decorator_list):
                words = decorator.keywords if isinstance(decorator, ast.Call) else []
                if not any(word.arg == "autouse" for word in words):
                    name = next((ast.literal_eval(word.value) for word in words if word.arg == "name"), function.name)
                    fixtures[name] = module.where(function)
        for call in calls_in(module.tree):
            if dotted(call.func).endswith("usefixtures"):
                used |= {str(one.value) for one in call.args if isinstance(one, ast.Constant)}
    dead = {name: where for name, where in fixtures.items() if name not in used}
    assert not dead


def test_foreign_addresses_are_refused():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one, pytest.raises(NetworkRefusedError):
        one.connect(("192.0.2.1", 80))
    with pytest.raises(NetworkRefusedError):
        socket.getaddrinfo("leadline.example", 443)


def test_loopback_is_allowed():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


def test_the_configured_runner_is_strict(pytestconfig: pytest.Config):
    assert pytestconfig.getini("strict") is True
    assert pytestconfig.getini("xfail_strict") is True
    assert pytestconfig.getini("filterwarnings")[0] == "error"
    assert pytestconfig.getini("empty_parameter_set_mark") == "fail_at_collect"
    assert pytestconfig.pluginmanager.hasplugin("randomly") or pytestconfig.pluginmanager.hasplugin("pytest_randomly")
    assert pytestconfig.getoption("importmode") == "importlib"
