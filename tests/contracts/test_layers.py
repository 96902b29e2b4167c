"""Data flows one way: imports go down the layers, make no cycle and leave no module out."""

from __future__ import annotations

from collections import defaultdict

from tests.contracts.code import imports, package_modules

# A module takes from lower layers, from its own folder, and from neighbours of its layer as long as
# no cycle arises. Lazy imports count like all others.
LAYERS: dict[int, tuple[str, ...]] = {
    0: ("errors", "dates", "money", "maths", "progress", "workdays", "formulas"),
    1: ("schema", "config", "config_faults", "address", "results", "findings", "credit_models"),
    2: ("sources", "demo"),
    3: ("ledger", "locks", "snapshots", "engines"),
    4: ("model",),
    5: ("audit", "matching", "metrics"),
    6: (
        "effects",
        "path_table",
        "publish",
        "warehouse",
        "render",
        "charts",
        "report",
        "explain",
        "diff",
        "propose",
        "survey",
        "writeback",
    ),
    7: ("workspace",),
    8: ("cli", "web", "__main__"),
}
LAYER_OF = {f"leadline.{unit}": layer for layer, units in LAYERS.items() for unit in units} | {"leadline": 8}

MODULES = package_modules()
IMPORTS = imports(MODULES)


def unit_of(name: str) -> str:
    """`leadline.model` for `leadline.model.people`: the file or folder right below the package."""
    return ".".join(name.split(".")[:2])


def test_every_module_has_a_layer():
    without = sorted({unit_of(module.name) for module in MODULES} - LAYER_OF.keys())
    assert not without, f"give these a layer in {__name__}: {without}"


def test_imports_go_down_only():
    upward = [
        f"{one.module.where(one.node)}: {unit_of(one.module.name)} imports {one.target}"
        for one in IMPORTS
        if LAYER_OF.get(unit_of(one.target), 0) > LAYER_OF.get(unit_of(one.module.name), 9)
    ]
    assert not upward, "\n".join(upward)


def test_the_package_itself_is_imported_by_nobody_inside():
    inner = [one for one in IMPORTS if one.target == "leadline" and LAYER_OF.get(unit_of(one.module.name), 0) < 8]
    assert not inner, "\n".join(one.module.where(one.node) for one in inner)


def cycle_in(graph: dict[str, set[str]]) -> list[str]:
    """One cycle of a directed graph as a list of nodes, or an empty list."""
    done: set[str] = set()
    for start in sorted(graph):
        path: list[str] = []
        trail = [(start, iter(sorted(graph[start])))]
        path.append(start)
        while trail:
            node, targets = trail[-1]
            target = next((one for one in targets if one not in done), None)
            if target is None:
                done.add(node)
                trail.pop()
                path.pop()
            elif target in path:
                return [*path[path.index(target) :], target]
            else:
                path.append(target)
                trail.append((target, iter(sorted(graph.get(target, ())))))
    return []


def test_the_cycle_finder_finds():
    assert cycle_in({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert cycle_in({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_no_import_cycle_between_modules():
    graph: dict[str, set[str]] = defaultdict(set)
    for one in IMPORTS:
        graph[one.module.name].add(one.target)
    assert cycle_in(graph) == []


def test_no_import_cycle_between_folders():
    graph: dict[str, set[str]] = defaultdict(set)
    for one in IMPORTS:
        if unit_of(one.module.name) != unit_of(one.target):
            graph[unit_of(one.module.name)].add(unit_of(one.target))
    assert cycle_in(graph) == []


def test_every_module_is_reached_from_the_facade():
    """From `import leadline` and the command line one finds everything; what nobody reaches is dead."""
    targets: dict[str, set[str]] = defaultdict(set)
    for one in IMPORTS:
        targets[one.module.name].add(one.target)
    reached: set[str] = set()
    # The truth of the demo org is a door of its own: whoever checks the numbers opens it.
    waiting = {"leadline", "leadline.__main__", "leadline.demo.truth"}
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            parent = {name.rpartition(".")[0]} - {""}
            waiting |= targets[name] | parent
    missed = sorted({module.name for module in MODULES} - reached)
    assert not missed, f"nobody imports these: {missed}"
