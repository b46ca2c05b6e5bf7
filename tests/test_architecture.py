"""Imports run one way, as the design says; a file that grows too long is two rooms."""

import ast
from pathlib import Path

import pytest

import sklin

HOUSE = Path(sklin.__file__).parent
FILES = sorted(HOUSE.rglob("*.py"))

SHARED = {"_checks", "_compat", "_component", "_docs", "_linalg", "_state"}
CORE = {"losses", "regularizers", "objective", "optimizers", "linear_model"}
SIDE = {"features", "datasets", "inspection"}

# What the files of a room may import of the other rooms.
MAY_IMPORT = {
    **{room: set() for room in SHARED},
    "_component": {"_docs"},
    "losses": SHARED,
    "regularizers": SHARED,
    "objective": SHARED | {"losses", "regularizers"},
    "optimizers": SHARED | {"gradient_check"},
    "linear_model": SHARED | CORE,
    "gradient_check": SHARED,
    "testing": SHARED | CORE | {"gradient_check"},
    **{room: SHARED | SIDE for room in SIDE},
    # The version, which the front door alone knows, is written into files.
    "persistence": SHARED | CORE | SIDE | {"__init__"},
    "__init__": CORE | SIDE | {"gradient_check", "persistence"},
    "demo": SHARED | CORE,
    "commands": SHARED | CORE | SIDE | {"gradient_check", "__init__", "demo", "persistence"},
    "__main__": {"commands"},
}


def room_of(path):
    """The room a file of the package belongs to: its folder, or itself."""
    return Path(path).parts[0].removesuffix(".py")


def rooms_imported(source, path):
    """Rooms that a file imports, wherever in it and however written."""
    package = ["sklin", *Path(path).parts[:-1]]
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names |= {f"{module}.{alias.name}" for alias in node.names}
    parts = [name.split(".") for name in names if f"{name}.".startswith("sklin.")]
    rooms = {part[1] if len(part) > 1 else "__init__" for part in parts}
    return {room if room in MAY_IMPORT else "__init__" for room in rooms} - {room_of(path)}


@pytest.mark.parametrize(
    "source, path, rooms",
    [
        ("import numpy\nfrom sklinear import losses", "losses.py", set()),
        ("import sklin.losses as l", "objective.py", {"losses"}),
        ("import sklin", "losses.py", {"__init__"}),
        ("from sklin import optimizers, losses", "features/_hog.py", {"optimizers", "losses"}),
        ("from sklin import SoftmaxClassifier", "features/_hog.py", {"__init__"}),
        ("def f():\n    from sklin.objective import Samples", "losses.py", {"objective"}),
        ("from .objective import Samples", "losses.py", {"objective"}),
        ("from . import objective", "losses.py", {"objective"}),
        ("from ..losses import Loss", "optimizers/_base.py", {"losses"}),
        ("from .. import losses", "optimizers/_base.py", {"losses"}),
        ("from . import _base\nfrom ._newton import x", "optimizers/_dual.py", set()),
    ],
)
def test_imports_are_read_however_written(source, path, rooms):
    assert rooms_imported(source, path) == rooms


def test_the_house_is_read():
    rooms = {room_of(path.relative_to(HOUSE)) for path in FILES}
    assert {"losses", "regularizers", "objective", "optimizers", "linear_model"} <= rooms
    assert rooms <= MAY_IMPORT.keys(), "a new room: say in MAY_IMPORT what it may know"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_imports_run_one_way(path):
    inside = path.relative_to(HOUSE)
    rooms = rooms_imported(path.read_text(encoding="utf-8"), inside)
    assert rooms <= MAY_IMPORT[room_of(inside)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_no_file_is_two_rooms(path):
    """About 500 lines, docstrings counted."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 600


def test_the_front_door_holds_the_public_names_and_nothing_else():
    tree = ast.parse((HOUSE / "__init__.py").read_text(encoding="utf-8"))
    kinds = {type(node) for node in tree.body[1:]}
    assert ast.get_docstring(tree) and kinds == {ast.ImportFrom, ast.Assign}
    imported = [a.name for n in tree.body if isinstance(n, ast.ImportFrom) for a in n.names]
    assert sorted(sklin.__all__) == sorted(imported)
