"""Any property that Glance takes survives every command, and what the SDK reads is what the command was given."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings

import ecl as sdk
from support.commands import Command
from support.properties import PYTHON_NAMES, properties_of_any_name

#: What sync marks images with.
MARKS = ("ecl_sync", "ecl_sync_source")


def options(values: dict[str, str]) -> list[str]:
    """The properties, as options."""
    return [word for name, value in values.items() for word in ("--property", f"{name}={value}")]


def properties(document: dict[str, Any]) -> dict[str, str]:
    """What a command printed of the properties, without marks of sync."""
    return {name: value for name, value in document["properties"].items() if name not in MARKS}


# A name with "=" cannot be written as KEY=VALUE.
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(given=dict.fromkeys(PYTHON_NAMES, "1"))
@example(
    given={"-x": "--property", "--property": "", "~": "~1/ #: [x]", "null": "null", "1": "0x1", "\u2028": "\x85\r\n"}
)
@given(given=properties_of_any_name(not_in_names="=").filter(lambda found: not found.keys() & {*MARKS}))
def test_any_property_survives(ecl: Command, tmp_path: Path, given: dict[str, str]) -> None:
    """Created, shown, changed, transferred and made true by a manifest, an image has the properties that were given."""
    name, disk, manifest = f"any-{secrets.token_hex(6)}", tmp_path / "disk.raw", tmp_path / "images.yaml"
    disk.write_bytes(secrets.token_bytes(1000))
    made = ecl("image", "create", name, "--file", str(disk), *options(given), "-f", "json").json
    assert properties(made) == given
    assert sdk.connect("here").image.get_image(made["id"]).properties == given

    changed = {key: value[::-1] + "+" for key, value in given.items()}
    assert properties(ecl("image", "set", name, *options(changed), "-f", "json").json) == changed
    sent = ecl("image", "transfer", name, "there", "-f", "json").json
    assert properties(sent) == changed
    assert sdk.connect("there").image.get_image(sent["id"]).properties == changed

    # What is written there by hand is found here by sync, and changed to what the manifest says.
    entry = {"name": name, "source": str(disk), "properties": given}
    manifest.write_text(yaml.safe_dump({"clouds": ["here", "there"], "images": [entry]}))
    actions = [
        [row["action"] for row in ecl("image", "sync", str(manifest), "--apply", "-f", "json").json] for _ in range(2)
    ]
    assert actions == [["update", "update"], ["keep", "keep"]]
    for cloud in ("here", "there"):
        shown = ecl("image", "show", name, "--os-cloud", cloud, "-f", "json").json
        assert properties(shown) == given
        found = sdk.connect(cloud).image.get_image(shown["id"])
        assert {key: value for key, value in found.properties.items() if key not in MARKS} == given
        ecl("image", "delete", shown["id"], "--os-cloud", cloud)


@pytest.mark.parametrize("key", MARKS)
def test_marks_of_sync_are_not_properties_of_a_manifest(ecl: Command, tmp_path: Path, key: str) -> None:
    """A manifest cannot set what sync marks its images with: one line says so."""
    manifest = tmp_path / "images.yaml"
    manifest.write_text(yaml.safe_dump({"images": [{"name": "a", "source": "a.raw", "properties": {key: "x"}}]}))

    assert f"property '{key}' is what sync marks its images with" in ecl("image", "sync", str(manifest), code=2).err
