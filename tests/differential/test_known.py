"""The published list of differences says what the suite knows, no more and no less."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from twin import EVERYWHERE, Twin

HERE = Path(__file__).parent
DOCUMENT = HERE.parent.parent / "docs" / "differences-from-glance.md"


def listed() -> list[str]:
    """Return the entries of the published list."""
    return re.findall(r"^\| `([a-z0-9-]+)` \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_list_is_what_the_suite_knows() -> None:
    """Each entry is needed by a request, and each request that needs one has it."""
    sources = "".join(path.read_text(encoding="utf-8") for path in HERE.glob("test_same_*.py"))
    needed = set(re.findall(r'differs="([a-z0-9-]+)"', sources)) | set(EVERYWHERE)
    assert sorted(listed()) == sorted(needed)


@pytest.mark.parametrize("entry", sorted(EVERYWHERE))
def test_what_may_show_anywhere_still_does(twin: Twin, entry: str) -> None:
    """An entry that is not tied to one request is still true of one."""
    root = "/v2/metadefs/namespaces"
    known = EVERYWHERE.pop(entry)
    try:
        twin.create()
        twin.send("POST", root, {"namespace": "a b", "visibility": "public"}, who="admin")
        twin.send("POST", f"{root}/a%20b/objects", {"name": "o"}, who="admin")
        twin.send("GET", f"{root}/a%20b/objects", who="admin")
    finally:
        EVERYWHERE[entry] = known
        twin.send("DELETE", f"{root}/a%20b", who="admin")
    found = "\n".join(twin.problems)
    twin.problems.clear()
    assert re.search(known.pattern, found)
