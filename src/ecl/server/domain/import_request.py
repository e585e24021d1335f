"""A request to import an image: what it asks for, and whether the image is in a state for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ecl.server.domain.image import Image
from ecl.server.domain.schemas import validate
from ecl.server.domain.status import ACTIVE, QUEUED, UPLOADING
from ecl.server.errors import BadRequest, Conflict
from ecl.server.region import Region
from ecl.server.settings import ImportSettings

__all__ = [
    "FAILED_IMPORT",
    "IMPORTING_TO",
    "IMPORT_TASK",
    "ImportRequest",
    "check_importable",
    "check_not_importing",
    "parse_import",
    "remote_image_of",
    "take_over",
    "target_stores",
    "uri_of",
]

#: Properties that tell clients of an import: its task while it runs, the stores that are still to be filled, and
#: those that could not be.
IMPORT_TASK = "os_glance_import_task"
IMPORTING_TO = "os_glance_importing_to_stores"
FAILED_IMPORT = "os_glance_failed_import"

#: Status that an image must have for each method.
_NEEDS = {
    "glance-direct": UPLOADING,
    "web-download": QUEUED,
    "glance-download": QUEUED,
    "copy-image": ACTIVE,
}
#: What the properties begin with that glance-download takes over: a Glance's own default
#: (``extra_properties`` of ``glance_download_properties``).
_TAKEN_OVER = ("hw_", "trait:", "os_distro", "os_secure_boot", "os_type")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LONGEST_TEXT = 2048
_MOST_STORES = 100


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What a client asks for."""

    method: str
    #: None: not said.
    stores: tuple[str, ...] | None
    all_stores: bool
    #: If one store fails, all do.
    all_must_succeed: bool
    #: What the method was given; read it by `uri_of` and `remote_image_of`, for nothing in it is checked.
    origin: Mapping[str, Any]


def parse_import(body: object, settings: ImportSettings) -> ImportRequest:
    """
    Return what the decoded *body* asks for.

    Raises:
        BadRequest: It is no import request, or asks for a method that is not enabled.
    """
    if not isinstance(body, dict) or not isinstance(body.get("method"), dict):
        raise BadRequest('The body must be an object: {"method": {"name": "…"}}.')
    method: dict[str, Any] = body["method"]
    name = method.get("name")
    if name not in settings.methods:
        raise BadRequest(f"The import method must be one of: {', '.join(settings.methods)}.")
    return ImportRequest(
        name,
        stores=_stores(body),
        all_stores=_flag(body, "all_stores", default=False),
        all_must_succeed=_flag(body, "all_stores_must_succeed", default=True),
        origin=method,
    )


def uri_of(request: ImportRequest) -> str:
    """Return where web-download is to fetch from. Raises BadRequest."""
    return _text(request.origin, "uri")


def remote_image_of(request: ImportRequest) -> tuple[str, str]:
    """Return region and image ID that glance-download is to fetch. Raises BadRequest."""
    region, image_id = _text(request.origin, "glance_region"), _text(request.origin, "glance_image_id")
    if not _UUID.fullmatch(image_id):
        raise BadRequest(f"Remote image id does not look like a UUID: {image_id[:64]!a}")
    return region, image_id


def take_over(image: Image, remote: Mapping[str, Any]) -> None:
    """
    Give *image* what belongs to the bytes of the *remote* image (as the API shows it): formats and some properties.

    Raises:
        BadRequest: It has a format that this service does not know, or a text that no database could hold.
    """
    taken = {name: remote.get(name) for name in ("disk_format", "container_format")}
    validate("image", taken)
    image.disk_format, image.container_format = taken["disk_format"], taken["container_format"]
    for name, value in remote.items():
        if name.startswith(_TAKEN_OVER) and isinstance(value, str):
            if "\0" in name + value:
                raise BadRequest(f"Property {name[:40]!a} of the remote image holds a NUL character.")
            image.properties[name] = value


def _stores(body: dict[str, Any]) -> tuple[str, ...] | None:
    stores = body.get("stores")
    if stores is None:
        return None
    named = isinstance(stores, list) and all(isinstance(name, str) for name in stores)
    if not named or not 0 < len(stores) <= _MOST_STORES:
        raise BadRequest("'stores' must be a list with the name of at least one store.")
    return tuple(dict.fromkeys(stores))


def _flag(body: dict[str, Any], name: str, *, default: bool) -> bool:
    value = body.get(name, default)
    if not isinstance(value, bool):
        raise BadRequest(f"'{name}' must be true or false.")
    return value


def _text(method: Mapping[str, Any], name: str) -> str:
    value = method.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TEXT:
        raise BadRequest(f"The import method {method['name']} needs '{name}', a text.")
    return value


def target_stores(request: ImportRequest, region: Region, header: str | None) -> list[str]:
    """
    Return the names of the stores to import to.

    Args:
        header: The value of X-Image-Meta-Store.

    Raises:
        BadRequest: It is said in two ways.
        Conflict: There is no such store, or it takes no data.
    """
    writable = [store.name for store in region.stores if not store.read_only]
    if request.all_stores:
        if request.stores is not None:
            raise BadRequest("Give either 'stores' or 'all_stores'.")
        return writable
    if request.stores is not None and header is not None:
        raise BadRequest("Give either 'stores' or the header X-Image-Meta-Store.")
    chosen: Sequence[str] = request.stores or ((header,) if header is not None else (region.store.name,))
    for name in chosen:
        if name not in writable:
            raise Conflict(f"Region {region.name} has no store '{name[:64]}' that takes data.")
    return list(chosen)


def check_importable(image: Image, method: str) -> None:
    """
    Raise Conflict unless *image* can be imported by *method* now.

    Raises:
        Conflict: Its status is another, its formats are not set, or an import is at work on it.
    """
    if image.disk_format is None or image.container_format is None:
        raise Conflict("Set disk_format and container_format before the import.")
    check_not_importing(image)
    if image.status != _NEEDS[method]:
        raise Conflict(f"Image {image.id} is {image.status}; {method} needs one that is {_NEEDS[method]}.")


def check_not_importing(image: Image) -> None:
    """Raise Conflict if an import is at work on *image*."""
    if IMPORT_TASK in image.properties:
        raise Conflict(f"Task {image.properties[IMPORT_TASK]} is importing image {image.id}.")
