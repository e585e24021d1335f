"""The same configuration makes the same log-in, asks the same endpoint, and trusts the same certificates."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from generated import generated
from known_config import KNOWN
from readers import Case, Readers, differences

_HERE = Path(__file__).parent
_DOCS = _HERE.parents[2] / "docs" / "compatibility.md"


@functools.cache
def corpus() -> dict[str, Case]:
    """Return all cases by name: those of the files, and generated ones."""
    written = [
        case for path in sorted((_HERE / "corpus").glob("*.yaml")) for case in yaml.safe_load(path.read_text())["cases"]
    ]
    cases = [Case.of(each) for each in (*written, *generated(240))]
    twice = [name for name, count in Counter(case.name for case in cases).items() if count > 1]
    assert not twice, f"two cases have one name: {twice}"
    return {case.name: case for case in cases}


@pytest.fixture(scope="session")
def readers() -> Iterator[Readers]:
    """Both libraries, for the whole corpus."""
    with ExitStack() as stack:
        yield Readers(stack)


@pytest.mark.parametrize("name", list(corpus()))
def test_same(name: str, readers: Readers, tmp_path: Path) -> None:
    """Both libraries send the same, or differ in what is listed; what is said is one line at most."""
    ours, theirs = readers.read(corpus()[name], tmp_path)
    found = differences(ours, theirs)

    if name in KNOWN:
        assert found, f"{name!r} is in the list of known differences, and nothing differs any more"
    else:
        assert not found, _shown(found, ours, theirs)
    assert len(ours["warnings"]) <= 1
    assert "hunter2" not in " ".join([*ours["warnings"], str(ours.get("error", ""))])


def _shown(found: list[str], ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    return "\n".join(["", *found, f"here: {ours.get('error')}", f"openstacksdk: {theirs.get('error')}"])


def test_known_differences_are_documented() -> None:
    """Each reason for a difference is a line of the table in docs/compatibility.md, and each line has a case."""
    table = _DOCS.read_text().partition("## clouds.yaml and OS_* beside openstacksdk")[2].partition("\n## ")[0]
    documented = {line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| config-")}

    assert documented == set(KNOWN.values())
    assert KNOWN.keys() <= corpus().keys()
