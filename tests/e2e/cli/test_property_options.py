"""--property: any name is a property, as it is called; attributes have options of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.commands import Command

#: Names that mean something to Python or to the SDK.
NASTY = {
    "os_type": "windows", "service_type": "s", "first": "1", "images_schema": "2", "data": "/etc/hostname",
    "progress": "p", "force": "1", "max_bandwidth": "many", "decompress": "yes", "max_expanded": "1",
    "synchronized": "x", "cls": "c", "properties": "all", "members": "m", "image_status": "i", "paginated": "no",
    "session": "s", "größe/~ 1": "groß=1",
}  # fmt: skip


def options(values: dict[str, str]) -> list[str]:
    """The properties, as options."""
    return [word for name, value in values.items() for word in ("--property", f"{name}={value}")]


def properties(ecl: Command, *words: str) -> Any:
    """What an image has, as "show" tells."""
    return ecl(*words, "-f", "json").json["properties"]


def test_properties_come_through(ecl: Command, disk: Path, name: str) -> None:
    """They are created with and without data, changed, transferred and taken off, each under its name."""
    made = ecl("image", "create", name, "--file", str(disk), *options(NASTY), "-f", "json").json
    assert (made["status"], made["properties"]) == ("active", dict(sorted(NASTY.items())))
    assert properties(ecl, "image", "create", f"{name}-2", *options(NASTY)) == made["properties"]

    changed = {key: value + "!" for key, value in made["properties"].items()}
    assert properties(ecl, "image", "set", made["id"], *options(changed)) == changed

    more = {"data": "2", "attrs": "3"}
    sent = ecl("image", "transfer", made["id"], "there", *options(more), "-f", "json").json
    assert sent["properties"] == dict(sorted({**changed, **more}.items()))
    assert sent["os_hash_value"] == made["os_hash_value"]

    taken = [word for key in NASTY for word in ("--property", key)]
    assert properties(ecl, "image", "unset", made["id"], *taken) == {}


@pytest.mark.usefixtures("alone")
def test_published_image_has_them(ecl: Command, disk: Path) -> None:
    """publish takes the same names."""
    assert properties(ecl, "image", "publish", "p", "--file", str(disk), *options(NASTY)) == dict(sorted(NASTY.items()))


@pytest.mark.usefixtures("alone")
def test_list_finds_by_them(ecl: Command) -> None:
    """A list can be narrowed by a property of any of these names."""
    ecl("image", "create", "with", *options(NASTY))
    ecl("image", "create", "without")

    for each in ("os_type", "paginated", "session", "properties", "first"):
        found = ecl("image", "list", *options({each: NASTY[each]}), "-f", "value", "-c", "name").out
        assert (each, found) == (each, "with\n")


@pytest.mark.usefixtures("alone")
def test_manifest_has_them(ecl: Command, tmp_path: Path, disk: Path) -> None:
    """An image made from a manifest has its properties under their names, and there is nothing to do then."""
    path = tmp_path / "images.json"
    images = [{"name": "one", "source": str(disk), "properties": {**NASTY, "gone": None}}]
    path.write_text(json.dumps({"images": images}))

    done = [ecl("image", "sync", str(path), "--apply", "-f", "json").json[0]["action"] for _ in range(2)]
    made = properties(ecl, "image", "show", "one")

    assert done == ["create", "keep"]
    assert {key: made[key] for key in NASTY} == NASTY
    assert "gone" not in made


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("create x --property name=y", "'name' is an attribute of an image, not a property; use the argument NAME."),
        ("create x --property id=y", "use --id."),
        ("create x --property owner=y", "use --project or --owner."),
        ("create x --property protected=y", "use --protected or --unprotected."),
        ("create x --property visibility=y", "use --public or --private or --community or --shared."),
        ("create x --property size=1", "not a property; this command cannot set it."),
        ("create x --property file=f", "this command cannot set it."),
        ("set x --property name=y", "use --name."),
        ("set x --property owner=y", "use --project or --owner."),
        ("set x --property status=y", "this command cannot set it."),
        ("set x --property tags=y", "use --tag."),
        ("publish x --file f --property os_hidden=1", "use --hidden or --unhidden."),
        ("transfer x there --property name=y", "use --name."),
        ("transfer x there --property disk_format=raw", "this command cannot set it."),
    ],
)  # fmt: skip
def test_attribute_is_no_property(ecl: Command, line: str, instead: str) -> None:
    """An attribute given as a property is refused, with the option that is meant."""
    ended = ecl("image", *line.split(), code=2)

    assert f"{instead} (ecl image" in ended.err
    assert len(ended.err.splitlines()) == 1
