"""The manifest of ``ecl image sync``: which images are to be there, read from YAML and checked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from ecl.cli._suggest import hint

__all__ = ["Entry", "Manifest", "read_manifest"]

_KEYS = {
    "name", "source", "disk_format", "container_format", "visibility", "protected", "hidden", "min_disk", "min_ram",
    "tags", "properties", "checksum",
}  # fmt: skip
_TYPES: dict[str, tuple[type, str]] = {
    "name": (str, "text"),
    "source": (str, "text"),
    "disk_format": (str, "text"),
    "container_format": (str, "text"),
    "visibility": (str, "text"),
    "checksum": (str, "text"),
    "protected": (bool, "true or false"),
    "hidden": (bool, "true or false"),
    "min_disk": (int, "a whole number"),
    "min_ram": (int, "a whole number"),
    "tags": (list, "a list"),
    "properties": (dict, "a mapping"),
}
_DIRECT = ("visibility", "protected", "min_disk", "min_ram", "disk_format", "container_format")


@dataclass(frozen=True)
class Entry:
    """One image of a manifest."""

    name: str
    #: Path of a file, or an http or https address.
    source: str
    #: Attributes of the API that the manifest says something about.
    attributes: dict[str, Any] = field(default_factory=dict)
    #: Tags that the image is to have, no others; None: whatever it has.
    tags: tuple[str, ...] | None = None
    #: Properties that it is to have, beside others; None takes one off.
    properties: dict[str, str | None] = field(default_factory=dict)
    #: Algorithm and hexadecimal hash of the source.
    checksum: tuple[str, str] | None = None

    @property
    def is_url(self) -> bool:
        """True if the source is fetched over HTTP."""
        return urlsplit(self.source).scheme in ("http", "https")


@dataclass(frozen=True)
class Manifest:
    """All images of a manifest."""

    #: What images made from it are marked with.
    name: str
    entries: tuple[Entry, ...]
    #: Clouds that it is for, where the command line names none.
    clouds: tuple[str, ...] = ()


def read_manifest(path: Path) -> Manifest:
    """
    Read and check a manifest.

    Raises:
        UsageError: It cannot be read, or an entry is wrong; the message says which and how.
    """
    import yaml

    try:
        document = yaml.safe_load(path.read_bytes())
    except (OSError, yaml.YAMLError) as exc:
        raise click.UsageError(f"{path} cannot be read: {' '.join(str(exc).split())}") from exc
    if not isinstance(document, dict) or not isinstance(document.get("images"), list):
        raise click.UsageError(f"{path} must have a list 'images'.")
    _check_keys(path, "the manifest", document, {"name", "images", "clouds"})
    entries = tuple(_entry(path, index, each) for index, each in enumerate(document["images"], 1))
    names = [each.name for each in entries]
    twice = sorted({each for each in names if names.count(each) > 1})
    if twice:
        raise click.UsageError(f"{path} has two images named {twice[0]!r}.")
    clouds = document.get("clouds") or []
    if not isinstance(clouds, list) or not all(isinstance(each, str) for each in clouds):
        raise click.UsageError(f"{path}: clouds must be a list of names.")
    return Manifest(str(document.get("name") or path.stem), entries, tuple(clouds))


def _instead(attribute: str) -> str:
    key = "hidden" if attribute == "os_hidden" else attribute
    return f"give the image a key {key!r}" if key in _KEYS else "a manifest cannot set it"


def _entry(path: Path, index: int, given: Any) -> Entry:
    from ecl.image.v2.image import BASE_ATTRIBUTES

    where = f"image {index}"
    if not isinstance(given, dict):
        raise click.UsageError(f"{path}: {where} is not a mapping.")
    where = f"image {given.get('name', index)!r}"
    _check_keys(path, where, given, _KEYS)
    for key in ("name", "source"):
        if not given.get(key):
            raise click.UsageError(f"{path}: {where} has no {key}.")
    for key, value in given.items():
        kind, words = _TYPES[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise click.UsageError(f"{path}: {where}: {key} must be {words}, not {value!r}; put text into quotes.")
    attributes = {key: given[key] for key in _DIRECT if key in given}
    attributes |= {"os_hidden": given["hidden"]} if "hidden" in given else {}
    tags = given.get("tags")
    if tags is not None and not all(isinstance(each, str) for each in tags):
        raise click.UsageError(f"{path}: {where}: tags must be texts; put them into quotes.")
    properties = given.get("properties", {})
    for key, value in properties.items():
        if key in BASE_ATTRIBUTES:
            said = f"property {key!r} is an attribute of an image, not a property"
            raise click.UsageError(f"{path}: {where}: {said}; {_instead(key)}.")
        if not isinstance(key, str) or not isinstance(value, (str, type(None))):
            raise click.UsageError(f"{path}: {where}: property {key!r} must be text; put it into quotes.")
    source = given["source"]
    scheme = urlsplit(source).scheme
    if "://" in source and scheme not in ("http", "https"):
        raise click.UsageError(f"{path}: {where}: source is a file, or an http or https address, not {scheme!r}.")
    if "://" not in source:
        # A manifest means files beside it, from wherever it is used.
        source = str((path.parent / Path(source).expanduser()).absolute())
    return Entry(
        name=given["name"],
        source=source,
        attributes=attributes,
        tags=tuple(dict.fromkeys(tags)) if tags is not None else None,
        properties=properties,
        checksum=_checksum(path, where, given["checksum"]) if "checksum" in given else None,
    )


def _check_keys(path: Path, where: str, given: dict[Any, Any], known: set[str]) -> None:
    for key in given:
        if key not in known:
            raise click.UsageError(f"{path}: {where} has an unknown key {key!r}; {hint(str(key), sorted(known))}")


def _checksum(path: Path, where: str, value: str) -> tuple[str, str]:
    algorithm, _, digest = value.partition(":")
    try:
        length = hashlib.new(algorithm, usedforsecurity=False).digest_size * 2
    except ValueError:
        length = 0
    if not length or len(digest) != length or set(digest.lower()) - set("0123456789abcdef"):
        raise click.UsageError(f"{path}: {where}: checksum must be ALGORITHM:HEX, such as sha256:9f86d0….")
    return algorithm, digest.lower()
