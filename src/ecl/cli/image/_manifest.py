"""Read and check the manifest of ``ecl image sync``: a YAML list of images."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from ecl.cli._suggest import hint
from ecl.cli.image._options import CONTAINER_FORMATS, DISK_FORMATS
from ecl.cli.image._yaml import read_yaml

__all__ = ["FINGERPRINT", "MARK", "Entry", "Manifest", "read_manifest"]

#: Property with the name of the manifest that an image belongs to. Only images with it are deleted.
MARK = "ecl_sync"
#: Property that identifies the source of an image's data, if the hash cannot.
FINGERPRINT = "ecl_sync_source"

_KEYS = {
    "name", "source", "disk_format", "container_format", "visibility", "protected", "hidden", "min_disk", "min_ram",
    "tags", "properties", "checksum", "decompress",
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
    "decompress": (bool, "true or false"),
    "min_disk": (int, "a whole number"),
    "min_ram": (int, "a whole number"),
    "tags": (list, "a list"),
    "properties": (dict, "a mapping"),
}
_DIRECT = ("visibility", "protected", "min_disk", "min_ram", "disk_format", "container_format")
_CHOICES = {
    "visibility": ("public", "private", "community", "shared"),
    "disk_format": DISK_FORMATS,
    "container_format": CONTAINER_FORMATS,
}


@dataclass(frozen=True)
class Entry:
    """One image of a manifest."""

    name: str
    #: Path of a file, or an http or https address.
    source: str
    #: Attributes that the manifest sets, by the API's names.
    attributes: dict[str, Any] = field(default_factory=dict)
    #: The exact tags of the image; None: leave its tags as they are.
    tags: tuple[str, ...] | None = None
    #: Properties to set; None removes one. Other properties stay.
    properties: dict[str, str | None] = field(default_factory=dict)
    #: Algorithm and hexadecimal hash of the source.
    checksum: tuple[str, str] | None = None
    #: Decode gzip, bzip2, xz or zstd during the upload.
    decompress: bool = False

    @property
    def is_url(self) -> bool:
        """True if the source is fetched over HTTP."""
        return urlsplit(self.source).scheme in ("http", "https")


@dataclass(frozen=True)
class Manifest:
    """All images of a manifest."""

    #: Name with which its images are marked.
    name: str
    entries: tuple[Entry, ...]
    #: Clouds to apply it to, if the command line names none.
    clouds: tuple[str, ...] = ()


def read_manifest(path: Path) -> Manifest:
    """
    Read and check a manifest.

    Raises:
        UsageError: The file is not readable, or an entry is wrong; the message says which and why.
    """
    document = read_yaml(path)
    if not isinstance(document, dict) or not isinstance(document.get("images"), list):
        raise click.UsageError(f"{path} must have a list 'images'.")
    _check_keys(path, "the manifest", document, {"name", "images", "clouds"})
    entries = tuple(_entry(path, index, item) for index, item in enumerate(document["images"], 1))
    names = [entry.name for entry in entries]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise click.UsageError(f"{path} has two images named {twice[0]!r}.")
    clouds = document.get("clouds") or []
    if not isinstance(clouds, list) or not all(isinstance(cloud, str) for cloud in clouds):
        raise click.UsageError(f"{path}: clouds must be a list of names.")
    return Manifest(str(document.get("name") or path.stem), entries, tuple(clouds))


def _instead(attribute: str) -> str:
    """Return advice on how to set *attribute* in a manifest."""
    key = "hidden" if attribute == "os_hidden" else attribute
    return f"give the image a key {key!r}" if key in _KEYS else "a manifest cannot set it"


def _entry(path: Path, index: int, item: Any) -> Entry:
    from ecl.image.v2.image import BASE_ATTRIBUTES

    where = f"image {index}"
    if not isinstance(item, dict):
        raise click.UsageError(f"{path}: {where} is not a mapping.")
    where = f"image {item.get('name', index)!r}"
    _check_keys(path, where, item, _KEYS)
    for key in ("name", "source"):
        if not item.get(key):
            raise click.UsageError(f"{path}: {where} has no {key}.")
    for key, value in item.items():
        kind, words = _TYPES[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise click.UsageError(f"{path}: {where}: {key} must be {words}, not {value!r}; put text into quotes.")
    for key, known in _CHOICES.items():
        if key in item and item[key] not in known:
            raise click.UsageError(f"{path}: {where}: there is no {key} {item[key]!r}; {hint(item[key], known)}")
    attributes = {key: item[key] for key in _DIRECT if key in item}
    attributes |= {"os_hidden": item["hidden"]} if "hidden" in item else {}
    tags = item.get("tags")
    if tags is not None and not all(isinstance(tag, str) for tag in tags):
        raise click.UsageError(f"{path}: {where}: tags must be texts; put them into quotes.")
    properties = item.get("properties", {})
    for key, value in properties.items():
        if key in BASE_ATTRIBUTES:
            problem = f"property {key!r} is an attribute of an image, not a property"
            raise click.UsageError(f"{path}: {where}: {problem}; {_instead(key)}.")
        if key in (MARK, FINGERPRINT):
            raise click.UsageError(f"{path}: {where}: property {key!r} is what sync marks its images with; omit it.")
        if not isinstance(key, str) or not isinstance(value, (str, type(None))):
            raise click.UsageError(f"{path}: {where}: property {key!r} must be text; put it into quotes.")
    source = item["source"]
    try:
        scheme, host = urlsplit(source).scheme, urlsplit(source).hostname
    except ValueError as exc:
        raise click.UsageError(f"{path}: {where}: source {source!r} is not an address: {exc}.") from exc
    if "://" in source and scheme not in ("http", "https"):
        raise click.UsageError(f"{path}: {where}: source is a file, or an http or https address, not {scheme!r}.")
    if "://" in source and not host:
        raise click.UsageError(f"{path}: {where}: source {source!r} names no host.")
    if "://" not in source:
        # Paths are relative to the manifest, not to the current folder.
        source = str((path.parent / Path(source).expanduser()).absolute())
    return Entry(
        name=item["name"],
        source=source,
        attributes=attributes,
        tags=tuple(dict.fromkeys(tags)) if tags is not None else None,
        properties=properties,
        checksum=_checksum(path, where, item["checksum"]) if "checksum" in item else None,
        decompress=item.get("decompress", False),
    )


def _check_keys(path: Path, where: str, keys: dict[Any, Any], known: set[str]) -> None:
    for key in keys:
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
