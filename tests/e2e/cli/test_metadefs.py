"""Metadata definitions by command: namespaces, and what is in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.commands import Command

Admin = Callable[..., str]


@pytest.fixture
def admin(ecl: Command) -> Admin:
    """Run `ecl image metadef …` as an administrator; return what it wrote."""

    def run(*words: str, code: int = 0) -> str:
        ended = ecl("--os-cloud", "admin", "image", "metadef", *words, code=code)
        return ended.err if code else ended.out

    return run


@pytest.fixture
def namespace(admin: Admin, name: str) -> Iterator[str]:
    """An empty namespace."""
    admin("namespace", "create", name, "--public")
    yield name
    admin("namespace", "delete", name)


def names(text: str) -> list[str]:
    """Return the names of a JSON list."""
    return [each["name"] for each in json.loads(text)]


def test_namespace(admin: Admin, ecl: Command, namespace: str) -> None:
    """It is listed for everybody, shown, changed option by option, and renamed."""
    changed = ("--display-name", "Title", "--description", "Text", "-f", "json")

    assert json.loads(admin("namespace", "update", namespace, *changed))["display_name"] == "Title"
    admin("namespace", "set", namespace, "--name", f"{namespace}-2")
    shown = ecl("image", "metadef", "namespace", "show", f"{namespace}-2", "-f", "json").json
    assert (shown["display_name"], shown["description"], shown["visibility"]) == ("Title", "Text", "public")
    admin("namespace", "update", f"{namespace}-2", "--name", namespace)
    assert namespace in ecl("image", "metadef", "namespace", "list", "-f", "value", "-c", "namespace").out.split()
    assert "There is nothing to change" in admin("namespace", "update", namespace, code=2)


def test_whole_namespace_from_a_file(admin: Admin, name: str, tmp_path: Path) -> None:
    """--schema takes a document with all content; what `show -f json` writes is such a document."""
    content = {
        "description": "all of it",
        "properties": {"core": {"title": "Core", "type": "integer", "minimum": 1}},
        "objects": [{"name": "cpu", "properties": {"cores": {"title": "Cores", "type": "integer"}}}],
        "tags": [{"name": "fast"}],
        "resource_type_associations": [{"name": "OS::Glance::Image", "prefix": "hw_"}],
    }
    (tmp_path / "all.json").write_text(json.dumps(content))
    made = admin("namespace", "create", name, "--schema", f"@{tmp_path}/all.json", "--protected", "-f", "json")
    assert json.loads(made)["protected"] is True
    assert "HTTP 403" in admin("namespace", "delete", name, code=1)
    (tmp_path / "shown.json").write_text(admin("namespace", "show", name, "-f", "json"))
    admin("namespace", "create", f"{name}-2", "--schema", f"@{tmp_path}/shown.json", "--unprotected")

    again = f"{name}-2"
    assert names(admin("property", "list", again, "-f", "json")) == ["core"]
    assert names(admin("object", "list", again, "-f", "json")) == ["cpu"]
    assert names(admin("tag", "list", again, "-f", "json")) == ["fast"]
    assert names(admin("resource-type", "list", again, "-f", "json")) == ["OS::Glance::Image"]
    admin("namespace", "update", name, "--unprotected")
    admin("namespace", "delete", name, again)
    assert "HTTP 404" in admin("namespace", "show", again, code=1)


def test_property(admin: Admin, namespace: str) -> None:
    """Created from options and a schema, shown as set, changed without loss, deleted by name or all."""
    words = ("--title", "Cost", "--type", "string", "--schema", '{"maxLength": 8, "enum": ["a", "b"]}')
    admin("property", "create", namespace, "cost", *words)
    admin("property", "update", namespace, "cost", "--title", "Cost centre", "--name", "centre")

    shown = json.loads(admin("property", "show", namespace, "centre", "-f", "json"))
    assert shown.items() >= {"title": "Cost centre", "type": "string", "maxLength": 8, "enum": ["a", "b"]}.items()
    assert "lacks --title and --type" in admin("property", "create", namespace, "x", code=2)
    admin("property", "delete", namespace, "centre")
    admin("property", "create", namespace, "other", "--title", "t", "--type", "string")
    admin("property", "delete", namespace, "--all")
    assert names(admin("property", "list", namespace, "-f", "json")) == []
    assert "Give one or more names, or --all" in admin("property", "delete", namespace, code=2)
    assert "HTTP 404" in admin("property", "delete", namespace, "centre", code=1)


def test_object(admin: Admin, namespace: str) -> None:
    """Created from a schema, shown whole or by property, changed without loss, deleted by name or all."""
    schema = '{"properties": {"cores": {"title": "Cores", "type": "integer"}}, "required": ["cores"]}'
    admin("object", "create", namespace, "cpu", "--description", "A CPU", "--schema", schema)
    admin("object", "update", namespace, "cpu", "--name", "processor")

    shown = json.loads(admin("object", "show", namespace, "processor", "-f", "json"))
    assert (shown["description"], shown["required"]) == ("A CPU", ["cores"])
    part = json.loads(admin("object", "show", namespace, "processor", "--property", "cores", "-f", "json"))
    assert part == {"name": "cores", "title": "Cores", "type": "integer"}
    wrong = admin("object", "show", namespace, "processor", "--property", "corse", code=1)
    assert "no property 'corse'; did you mean 'cores'?" in wrong
    admin("object", "delete", namespace, "processor")
    admin("object", "create", namespace, "disk")
    admin("object", "delete", namespace, "--all")
    assert names(admin("object", "list", namespace, "-f", "json")) == []


def test_tag(admin: Admin, namespace: str) -> None:
    """Added, replaced, renamed, shown, and deleted by name or all."""
    admin("tag", "create", namespace, "a", "b")
    admin("tag", "create", namespace, "c")
    assert sorted(names(admin("tag", "list", namespace, "-f", "json"))) == ["a", "b", "c"]
    admin("tag", "create", namespace, "d", "e", "--replace")
    admin("tag", "update", namespace, "d", "--name", "f")

    assert json.loads(admin("tag", "show", namespace, "f", "-f", "json"))["name"] == "f"
    admin("tag", "delete", namespace, "f")
    assert names(admin("tag", "list", namespace, "-f", "json")) == ["e"]
    admin("tag", "delete", namespace, "--all")
    assert names(admin("tag", "list", namespace, "-f", "json")) == []


def test_resource_type(admin: Admin, namespace: str) -> None:
    """A namespace is associated with a type, listed with it, found by it, and parted from it again."""
    admin("resource-type", "add", namespace, "OS::Nova::Flavor", "--prefix", "hw_")
    assert "OS::Nova::Flavor" in names(admin("resource", "type", "list", "-f", "json"))
    listed = json.loads(admin("resource-type", "list", namespace, "-f", "json"))
    found = admin("namespace", "list", "--resource-type", "OS::Nova::Flavor", "-f", "value", "-c", "namespace")
    admin("resource", "type", "association", "delete", namespace, "OS::Nova::Flavor")

    assert [(each["name"], each["prefix"]) for each in listed] == [("OS::Nova::Flavor", "hw_")]
    assert namespace in found.split()
    assert json.loads(admin("resource-type", "list", namespace, "-f", "json")) == []


def test_member_may_not_write(ecl: Command, name: str) -> None:
    """What only administrators may do, the cloud refuses, in one line."""
    assert "HTTP 403" in ecl("image", "metadef", "namespace", "create", name, code=1).err
