"""The wheel and the sdist: what is in them, what they say of themselves, and that the wheel works when installed."""

from __future__ import annotations

import email
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from configparser import ConfigParser
from email.message import Message
from pathlib import Path

import pytest

from ecl import __version__
from ecl.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".venvs" / "packages" / "bin"
#: The time of the pages and archives.
EPOCH = "1700000000"


def build(source: Path, target: Path, kind: str) -> Path:
    """Build one archive of the project in *source*; return its path."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", target], cwd=source,
        check=True, capture_output=True, env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH},
    )  # fmt: skip
    (found,) = target.iterdir()
    return found


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, built from a copy of the project: what a build writes is no other test's."""
    pytest.importorskip("hatchling")
    copy = tmp_path_factory.mktemp("copy") / "project"
    left_out = shutil.ignore_patterns(".*", "__pycache__", "build", "dist")
    shutil.copytree(ROOT, copy, ignore=left_out)
    return build(copy, tmp_path_factory.mktemp("sdist"), "sdist")


@pytest.fixture(scope="module")
def unpacked(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in the sdist."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return folder / f"ecl_image-{__version__}"


@pytest.fixture(scope="module")
def wheel(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the sdist alone."""
    return build(unpacked, tmp_path_factory.mktemp("wheel"), "wheel")


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    """The files in the wheel."""
    return zipfile.ZipFile(wheel).namelist()


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    """What the wheel says of itself."""
    with zipfile.ZipFile(wheel) as archive:
        return email.message_from_string(archive.read(f"ecl_image-{__version__}.dist-info/METADATA").decode())


def test_sdist_holds_the_project(unpacked: Path) -> None:
    """Source, tests, documentation and what builds the package; no file of this machine."""
    assert sorted(path.name for path in unpacked.iterdir() if path.name != ".gitignore") == [
        "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "PKG-INFO", "README.md", "benchmarks",
        "constraints.txt", "docs", "examples", "packaging", "pyproject.toml", "scripts", "src", "tests",
    ]  # fmt: skip
    assert (unpacked / "tests" / "e2e" / Path(__file__).name).is_file()


def test_wheel_holds_the_package_and_no_test(names: list[str]) -> None:
    """Every file below src/ecl, py.typed among them, and beside it only metadata, the licence and man pages."""
    source = ROOT / "src"
    ours = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()}
    info, data = f"ecl_image-{__version__}.dist-info", f"ecl_image-{__version__}.data"

    assert {name for name in names if name.startswith("ecl/")} == {n for n in ours if "__pycache__" not in n}
    assert "ecl/py.typed" in names
    assert sorted(name for name in names if name.startswith(info)) == [
        f"{info}/METADATA", f"{info}/RECORD", f"{info}/WHEEL", f"{info}/entry_points.txt", f"{info}/licenses/LICENSE",
    ]  # fmt: skip
    assert not [n for n in names if not n.startswith(("ecl/", info, f"{data}/data/share/man/man1/ecl"))]


def test_metadata(metadata: Message) -> None:
    """Name, version, licence, Python, extras and the README are there for an index to show."""
    assert (metadata["Name"], metadata["Version"]) == ("ecl-image", __version__)
    assert (metadata["License-Expression"], metadata["License-File"]) == ("Apache-2.0", "LICENSE")
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload() == (ROOT / "README.md").read_text()
    assert set(metadata.get_all("Provides-Extra", [])) == {"server", "postgres", "s3", "aio", "zstd", "dev"}
    assert "Typing :: Typed" in metadata.get_all("Classifier", [])


def test_entry_points(wheel: Path) -> None:
    """The command has two names, the second for `uvx ecl-image`; pytest finds its plugin."""
    found = ConfigParser()
    with zipfile.ZipFile(wheel) as archive:
        found.read_string(archive.read(f"ecl_image-{__version__}.dist-info/entry_points.txt").decode())

    assert dict(found["console_scripts"]) == {"ecl": "ecl.cli.main:main", "ecl-image": "ecl.cli.main:main"}
    assert dict(found["pytest11"]) == {"ecl": "ecl.testing.plugin"}


def test_build_is_reproducible(unpacked: Path, wheel: Path, tmp_path: Path) -> None:
    """The same sources and the same time give the same bytes."""
    assert build(unpacked, tmp_path, "wheel").read_bytes() == wheel.read_bytes()


@pytest.mark.parametrize("words", [("twine", "check", "--strict"), ("check-wheel-contents", "--ignore", "W004")])
def test_tools_for_packages_accept_them(words: tuple[str, ...], wheel: Path, sdist: Path) -> None:
    """The README renders, and the wheel has none of the usual faults. W004: migrations cannot be imported by name."""
    if not (TOOLS / words[0]).exists():
        pytest.skip("no .venvs/packages (scripts/test-inputs)")
    archives = [wheel, sdist] if words[0] == "twine" else [wheel]
    ended = subprocess.run([TOOLS / words[0], *words[1:], *archives], capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_man_page_of_every_command(names: list[str]) -> None:
    """The wheel installs a page for the program, for each group and for each command."""
    pages = {Path(name).name for name in names if "/man1/" in name}

    assert {"ecl.1", "ecl-image.1", "ecl-image-create.1", "ecl-image-member-add.1", "ecl-image-import-info.1"} <= pages
    assert {f"ecl-{name}.1" for name in COMMANDS} <= pages


def test_man_pages_have_no_fault(wheel: Path, tmp_path: Path) -> None:
    """mandoc finds nothing wrong with any page, and shows options as they are typed."""
    program = shutil.which("mandoc")
    if program is None:
        pytest.skip("mandoc is not installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    pages = sorted(tmp_path.glob("*.data/data/share/man/man1/*.1"))
    checked = subprocess.run(
        [program, "-T", "lint", "-W", "warning", *pages], capture_output=True, text=True, check=False
    )
    (page,) = [path for path in pages if path.name == "ecl-image-download.1"]
    shown = subprocess.run([program, "-T", "ascii", page], capture_output=True, text=True, check=True).stdout
    # Bold is each character twice, a backspace between.
    plain = re.sub(".\b", "", shown)

    assert (checked.returncode, checked.stdout) == (0, "")
    assert "ecl image download [OPTIONS] IMAGE" in plain
    assert "--file PATH" in plain


def test_wheel_works_when_installed(wheel: Path, tmp_path: Path) -> None:
    """In an environment with the wheel and its dependencies, both names of the command run, and man finds its pages."""
    made = subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("this Python cannot make an environment with pip")
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel], check=True, capture_output=True
    )
    # The dependencies of this environment; its own editable package is not among them.
    (site,) = (tmp_path / "venv").glob("lib/python3*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    for name in ("ecl", "ecl-image"):
        command = tmp_path / "venv" / "bin" / name
        ended = subprocess.run([command, "--version"], capture_output=True, text=True, check=True, env=environ)
        assert ended.stdout == f"ecl {__version__}\n"
        listed = subprocess.run([command, "image", "--help"], capture_output=True, text=True, check=True, env=environ)
        assert "List images." in listed.stdout
    where = subprocess.run(
        [python, "-c", "import ecl; print(ecl.__file__)"], capture_output=True, text=True, check=True, env=environ
    )
    assert Path(where.stdout.strip()).is_relative_to(tmp_path)
    assert (tmp_path / "venv" / "share" / "man" / "man1" / "ecl-image.1").is_file()
