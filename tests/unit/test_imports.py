"""What may import what, what an import costs, and what modules say they offer."""

from __future__ import annotations

import ast
import graphlib
import importlib
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import ecl.image
from support.import_graph import imports, modules, package_cycles, tree_of

#: The SDK from the ground up: patterns of modules. A module imports from lines below its own, and from its own line
#: as long as that makes no circle.
FLOORS = (
    r"ecl\.(version|exceptions|format|_disk_header)",
    r"ecl\.(service_filter|_auth|utils)",
    r"ecl\._config\.\w+",
    r"ecl\.(config|image\.image_service|_http\.\w+)",
    r"ecl\.(_http|_resource\.\w+|profile)",
    r"ecl\.(resource2|session)",
    r"ecl\.(proxy2|image\.disk_format|image\.foreign)",
    r"ecl\.image\._transfer\.\w+",
    r"ecl\.image\.v2\._(data|metadef|query|sorting|validation)",
    r"ecl\.image\.v2\.[a-z]\w*",
    r"ecl\.image\.v2\._(arguments|creating|batch)",
    r"ecl\.image\.v2\._proxy_\w+",
    r"ecl\.image\.v2\._proxy",
    r"ecl\.image\.(copying|importing)",
    r"ecl\.image\.transfer",
    r"ecl\.connection",
    r"ecl\.aio\._(threads|progress)",
    r"ecl\.aio\._(listing|sources|download)",
    r"ecl\.aio\._proxy_base",
    r"ecl\.aio\._proxy",
    r"ecl\.aio\._connection",
    r"ecl\.aio",
    r"ecl",
)

#: Packages that are nothing but a name.
NAMES = {"ecl.image", "ecl.image.v2", "ecl.image._transfer", "ecl._resource", "ecl._config"}
#: Modules that offer what others define.
FACES = {"ecl.image.transfer"}
#: Rooms on top of the SDK, and what is theirs alone.
TOP = ("ecl.server", "ecl.cli", "ecl.testing", "ecl.testing_pytest")

MODULES = modules()
SDK = sorted(name for name in MODULES if not name.startswith(TOP) and name not in NAMES)


def floor(name: str) -> int:
    """Return how high up a module is."""
    (height,) = (height for height, pattern in enumerate(FLOORS) if re.fullmatch(pattern, name))
    return height


def test_every_floor_has_a_module() -> None:
    """The map of the SDK is complete, and has no floor that is gone."""
    assert {floor(name) for name in SDK} == set(range(len(FLOORS)))


@pytest.mark.parametrize("name", SDK)
def test_imports_go_down(name: str) -> None:
    """A module of the SDK imports from its own floor and those below; never the service, the command, the test help."""
    found = imports(name)

    assert not [each for each in found if each.startswith(TOP)]
    assert [each for each in found - NAMES if floor(each) > floor(name)] == []


def test_modules_make_no_circles() -> None:
    """No two modules of the SDK import each other, over however many others."""
    graph = {name: (imports(name) & {*SDK}) - {name} for name in SDK}

    assert set(graphlib.TopologicalSorter(graph).static_order()) == set(SDK)


def test_packages_make_no_circles() -> None:
    """No two rooms of the SDK need each other, not even for their types."""
    assert [cycle for cycle in package_cycles("ecl") if not cycle[0].startswith("ecl.server")] == []


def test_nothing_below_imports_the_command() -> None:
    """The service does not know the command."""
    for name in MODULES:
        if name.startswith("ecl.server"):
            assert not [each for each in imports(name) if each.startswith("ecl.cli")], name


def loaded_by(statement: str) -> set[str]:
    """Return the modules that a fresh interpreter has after *statement*."""
    code = f"{statement}; import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_importing_the_package_is_free() -> None:
    """``import ecl`` loads no HTTP library and no other module of the package than its version."""
    loaded = loaded_by("import ecl")

    assert not loaded & {"requests", "keystoneauth1", "urllib3", "yaml", "oslo_utils", "platformdirs", "anyio"}
    assert {name for name in loaded if name.startswith("ecl")} == {"ecl", "ecl.version"}


def test_connecting_loads_no_transfer_engine() -> None:
    """Who only lists images loads neither the image inspector nor YAML nor anything of the service."""
    loaded = loaded_by("import ecl; ecl.connect(auth_type='none', endpoint='http://127.0.0.1:9').image")

    assert not loaded & {"oslo_utils", "yaml", "ecl.image._transfer.source", "ecl.image.disk_format", "rich", "click"}
    assert not [name for name in loaded if name.startswith(TOP)]


#: What may cost as much as it does: logging in, and moving data.
COSTLY = {"ecl.session", "ecl._http.http_session", "ecl._http.stoppable", "ecl._http.translation", "ecl.image.copying",
          "ecl.image.importing", "ecl.image.transfer", "ecl.image.v2._batch", "ecl.image.v2._creating",
          "ecl.image.v2._data"}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in SDK if name not in COSTLY and "._transfer" not in name])
def test_http_libraries_are_for_who_connects(name: str) -> None:
    """A module loads neither keystoneauth1 nor requests; making a connection does."""
    assert not loaded_by(f"import {name}") & {"keystoneauth1", "requests", "urllib3", "oslo_utils"}


def test_importing_the_image_package_is_free() -> None:
    """``import ecl.image`` loads no module of the service's before one of its names is used."""
    assert {name for name in loaded_by("import ecl.image") if name.startswith("ecl")} == {
        "ecl", "ecl.version", "ecl.image",
    }  # fmt: skip


@pytest.mark.parametrize("name", ecl.image.__all__)
def test_the_image_package_has_what_it_says(name: str) -> None:
    """Each name of ``ecl.image`` is the object of a module below it, for people and for type checkers alike."""
    typed = {
        alias.name: str(node.module)
        for node in ast.walk(tree_of("ecl.image"))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert getattr(ecl.image, name) is getattr(importlib.import_module(typed[name]), name)
    assert name in dir(ecl.image)


def test_the_image_package_has_no_other_name() -> None:
    """A name that is misspelt is an error."""
    with pytest.raises(AttributeError, match=r"'ecl\.image' has no attribute 'Imgae'"):
        _ = ecl.image.Imgae


@pytest.mark.parametrize("name", SDK)
def test_all_exists(name: str) -> None:
    """``__all__`` names what is there, and each once."""
    module = importlib.import_module(name)
    names = module.__dict__.get("__all__", [])

    assert len(set(names)) == len(names)
    assert [each for each in names if not hasattr(module, each)] == []


@pytest.mark.parametrize("name", SDK)
def test_all_forgets_and_leaks_nothing(name: str) -> None:
    """What a module defines without an underscore is in ``__all__``, constants aside; what it imports is not."""
    tree = tree_of(name)
    defined = {
        node.name
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
    }
    module = importlib.import_module(name)
    said = set(module.__dict__.get("__all__", []))

    assert defined <= said
    if "._" not in name and name not in FACES and MODULES[name].name != "__init__.py":
        own = {each for each in said if getattr(getattr(module, each), "__module__", name).startswith("ecl")}
        assert own == said


def test_public_names_have_docstrings() -> None:
    """Every public class, function and method of the SDK says what it is for."""
    missing = []
    for name in SDK:
        tree = tree_of(name)
        missing += [f"{name}: no docstring"] if ast.get_docstring(tree) is None and tree.body else []
        for node in ast.walk(tree):
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or node.name.startswith("_"):
                continue
            overload = any(ast.unparse(each) == "overload" for each in getattr(node, "decorator_list", []))
            inner = not any(node in getattr(each, "body", []) for each in (tree, *classes(tree)))
            if not overload and not inner and ast.get_docstring(node) is None:
                missing.append(f"{name}.{node.name}")

    assert missing == []


def classes(tree: ast.Module) -> list[ast.ClassDef]:
    """Return the public classes of a module."""
    return [node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]


#: Modules that a script makes: nobody reads them.
MADE = {"ecl.aio._proxy"}


def test_modules_are_read_in_one_sitting() -> None:
    """No module of the package has more than 450 lines, and the mean is at most 130; made ones do not count."""
    lengths = {name: len(path.read_text().splitlines()) for name, path in MODULES.items() if name not in MADE}

    assert [name for name, length in lengths.items() if length > 450] == []
    assert sum(lengths.values()) / len(lengths) <= 130


def test_files_of_tests_have_names_of_their_own() -> None:
    """Two test files of one name cannot be collected in one run: folders of tests are no packages."""
    names = Counter(path.name for path in Path(__file__).parents[1].rglob("test_*.py"))

    assert [name for name, count in names.items() if count > 1] == []
