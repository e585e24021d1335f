"""A request to import an image: its method and stores, and whether the image can be imported now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ecl.server.domain.ids import is_uuid
from ecl.server.domain.image import Image
from ecl.server.domain.schemas import validate
from ecl.server.domain.status import ACTIVE, QUEUED, UPLOADING
from ecl.server.errors import BadRequest, Conflict
from ecl.server.settings.model import ImportSettings

__all__ = [
    "FAILED_IMPORT",
    "IMPORTING_TO",
    "IMPORT_TASK",
    "ImportRequest",
    "adopt_metadata",
    "check_importable",
    "check_not_importing",
    "known_fields",
    "parse_import",
    "remote_image_of",
    "uri_of",
]

#: Properties that show an import to clients: its task while it runs, the stores that do not have the data yet, and
#: the stores that failed.
IMPORT_TASK = "os_glance_import_task"
IMPORTING_TO = "os_glance_importing_to_stores"
FAILED_IMPORT = "os_glance_failed_import"

#: The status that each method requires.
_REQUIRED_STATUS = {
    "glance-direct": UPLOADING,
    "web-download": QUEUED,
    "glance-download": QUEUED,
    "copy-image": ACTIVE,
}
#: Prefixes of the properties that glance-download copies: Glance's default
#: (``extra_properties`` of ``glance_download_properties``).
_ADOPTED = ("hw_", "trait:", "os_distro", "os_secure_boot", "os_type")
_MAX_TEXT = 2048
#: The fields of a request that are kept with the task.
_METHOD_FIELDS = ("name", "uri", "glance_region", "glance_image_id")
_OPTIONS = ("stores", "all_stores", "all_stores_must_succeed")
_MAX_STORES = 100


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """A parsed import request."""

    method: str
    #: None if the request does not name any.
    stores: tuple[str, ...] | None
    all_stores: bool
    #: True if the import fails when one store fails.
    all_must_succeed: bool
    #: The arguments of the method, unchecked: `uri_of` and `remote_image_of` check what they return.
    origin: Mapping[str, Any]


def parse_import(body: object, settings: ImportSettings) -> ImportRequest:
    """
    Return the import request in the decoded *body*.

    Raises:
        BadRequest: It is not an import request, or its method is not enabled.
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


def known_fields(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of the *body* of an import request, which `parse_import` has accepted, means something."""
    method = {name: body["method"][name] for name in _METHOD_FIELDS if isinstance(body["method"].get(name), str)}
    return {"method": method, **{name: body[name] for name in _OPTIONS if name in body}}


def uri_of(request: ImportRequest) -> str:
    """Return the URI that web-download fetches. Raises BadRequest."""
    return _text(request.origin, "uri")


def remote_image_of(request: ImportRequest) -> tuple[str, str]:
    """Return the region and image ID that glance-download fetches. Raises BadRequest."""
    region, image_id = _text(request.origin, "glance_region"), _text(request.origin, "glance_image_id")
    if not is_uuid(image_id.lower()):
        raise BadRequest(f"Remote image id does not look like a UUID: {image_id[:64]!a}")
    return region, image_id


def adopt_metadata(image: Image, remote: Mapping[str, Any]) -> None:
    """
    Copy to *image* what describes the data of the *remote* image (as the API shows it): formats and some properties.

    Raises:
        BadRequest: The remote image has a format that this service does not know, or a NUL character in a property.
    """
    formats = {name: remote.get(name) for name in ("disk_format", "container_format")}
    validate("image", formats)
    image.disk_format, image.container_format = formats["disk_format"], formats["container_format"]
    for name, value in remote.items():
        if name.startswith(_ADOPTED) and isinstance(value, str):
            if "\0" in name + value:
                raise BadRequest(f"Property {name[:40]!a} of the remote image holds a NUL character.")
            image.properties[name] = value


def _stores(body: dict[str, Any]) -> tuple[str, ...] | None:
    stores = body.get("stores")
    if stores is None:
        return None
    named = isinstance(stores, list) and all(isinstance(name, str) for name in stores)
    if not named or not 0 < len(stores) <= _MAX_STORES:
        raise BadRequest("'stores' must be a list with the name of at least one store.")
    return tuple(dict.fromkeys(stores))


def _flag(body: dict[str, Any], name: str, *, default: bool) -> bool:
    value = body.get(name, default)
    if not isinstance(value, bool):
        raise BadRequest(f"'{name}' must be true or false.")
    return value


def _text(method: Mapping[str, Any], name: str) -> str:
    value = method.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT:
        raise BadRequest(f"The import method {method['name']} needs '{name}', a text.")
    return value


def check_importable(image: Image, method: str) -> None:
    """
    Check that *image* can be imported by *method* now.

    Raises:
        Conflict: It has another status, its formats are not set, or another import is running.
    """
    if image.disk_format is None or image.container_format is None:
        raise Conflict("Set disk_format and container_format before the import.")
    check_not_importing(image)
    if image.status != _REQUIRED_STATUS[method]:
        raise Conflict(f"Image {image.id} is {image.status}; {method} needs one that is {_REQUIRED_STATUS[method]}.")


def check_not_importing(image: Image) -> None:
    """Raise Conflict if an import of *image* is running."""
    if IMPORT_TASK in image.properties:
        raise Conflict(f"Task {image.properties[IMPORT_TASK]} is importing image {image.id}.")
