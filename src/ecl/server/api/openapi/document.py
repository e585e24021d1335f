"""
The OpenAPI 3.1 document of the image API, made from its routes, their operations and the published schemas.

It has every status of every operation. Besides those in `Operation.fails`: 400 and 500 everywhere, 401 and 403 where a
token is needed, 404 where the path has a parameter, 413 where a JSON body is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from starlette.routing import BaseRoute, Route

from ecl.server.api.common.patch_types import PATCH_TYPES
from ecl.server.api.openapi.operations import OPERATIONS, Operation
from ecl.server.domain.schemas import SCHEMA_NAMES, schema
from ecl.server.http.routing import methods_of
from ecl.version import __version__

__all__ = ["openapi_document"]

Document = dict[str, Any]

_OCTETS = "application/octet-stream"
_TEXT: Document = {"type": "string"}
_WHOLE: Document = {"type": "integer", "minimum": 0}
_BOOLEAN: Document = {"type": "boolean"}

#: Schemas of the parameters that are not plain text, by name.
_PARAMETERS: Document = {
    **dict.fromkeys(("limit", "X-OpenStack-Image-Size"), _WHOLE),
    **{
        column + end: _WHOLE
        for column in ("size", "virtual_size", "min_ram", "min_disk")
        for end in ("", "_min", "_max")
    },
    **dict.fromkeys(("protected", "os_hidden", "X-Openstack-Append"), _BOOLEAN),
    "tag": {"type": "array", "items": _TEXT},
    "sort_dir": {"enum": ["asc", "desc"]},
    "member_status": {"enum": ["accepted", "pending", "rejected", "all"]},
    # Any other query parameter filters by the custom property of that name.
    "properties": {"type": "object", "additionalProperties": _TEXT},
}

_ERRORS = {
    400: "The request itself is wrong.",
    401: "The token is missing or not valid.",
    403: "The caller may not do this, or its project belongs to another region.",
    404: "The resource does not exist, or the caller may not see it.",
    409: "The state of the resource does not allow this, or the name is in use.",
    410: "The image was deleted during the upload, its data is damaged, or the store is read-only.",
    413: "A quota or a size limit is exceeded.",
    415: "The content type, or the content itself, is not accepted here.",
    416: "The range lies outside the image.",
    500: "The service failed; its log says more about the request.",
    503: "The store does not work at the moment.",
    507: "A disk of the service is full.",
}


def openapi_document(routes: Sequence[BaseRoute], servers: Iterable[str]) -> Document:
    """
    Return the document that describes *routes*.

    Args:
        servers: URLs of the endpoints, absolute or relative to the document's own address.
    """
    paths: Document = {}
    for route in routes:
        assert isinstance(route, Route)
        paths[route.path] = {method.lower(): _operation(method, route.path) for method in methods_of(route)}
    for key, operation in OPERATIONS.items():
        if operation.is_open:
            method, _, path = key.partition(" ")
            paths[path] = {method.lower(): _operation(method, path)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Image API v2 with NTT ECL's extensions",
            "version": __version__,
            "description": "The API of the embedded image service. Its schemas are also at /v2/schemas.",
        },
        "servers": [{"url": url} for url in servers],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"}},
            "schemas": _components(),
            "responses": {str(status): _error_response(meaning) for status, meaning in _ERRORS.items()},
        },
    }


def _operation(method: str, path: str) -> Document:
    if path.startswith("/v2/schemas/"):
        operation = Operation(f"Show the schema '{path.removeprefix('/v2/schemas/')}'.", "schema")
    else:
        operation = OPERATIONS[f"{method} {path}"]
    responses = {str(status): {"$ref": f"#/components/responses/{status}"} for status in _fails(operation, path)}
    if operation.status < 400:
        success: Document = {"description": operation.summary}
        if operation.gives is not None:
            success["content"] = _content(operation.gives)
        responses[str(operation.status)] = success
        if operation.gives == "octets":
            responses |= {"206": success, "204": {"description": "There is no data yet."}}
    described: Document = {"summary": operation.summary, "responses": dict(sorted(responses.items()))}
    if operation.is_open:
        described["security"] = []
    if parameters := _parameters(path, operation):
        described["parameters"] = parameters
    if operation.takes is not None:
        described["requestBody"] = {"required": True, "content": _content(operation.takes)}
    return described


def _fails(operation: Operation, path: str) -> set[int]:
    """Return the statuses of all errors of *operation*."""
    found = {400, 500, *operation.fails}
    if not operation.is_open:
        found |= {401, 403}
    if "{" in path or operation.status == 404:
        found.add(404)
    if operation.takes not in (None, "octets"):
        found.add(413)
    return found


def _parameters(path: str, operation: Operation) -> list[Document]:
    in_path = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {**_TEXT, "minLength": 1}} for name in in_path
    ]
    parameters += [{"name": name, "in": "query", "schema": _PARAMETERS.get(name, _TEXT)} for name in operation.query]
    return parameters + [
        {"name": name, "in": "header", "schema": _PARAMETERS.get(name, _TEXT)} for name in operation.headers
    ]


def _content(name: str) -> Document:
    if name == "octets":
        return {_OCTETS: {"schema": {"type": "string", "format": "binary"}}}
    if name == "text":
        return {"text/plain": {"schema": _TEXT}}
    reference = {"schema": {"$ref": f"#/components/schemas/{_component_name(name)}"}}
    if name == "patch":
        return dict.fromkeys(PATCH_TYPES, reference)
    return {"application/json": reference}


def _component_name(name: str) -> str:
    return name.replace("/", ".")


def _error_response(meaning: str) -> Document:
    return {
        "description": f"{meaning} The body explains it, in the format that Accept asks for.",
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/error"}},
            "text/html": {"schema": _TEXT},
            "text/plain": {"schema": _TEXT},
        },
    }


# --- schemas --------------------------------------------------------------------------------------------------


def _components() -> Document:
    components = dict(_OWN_COMPONENTS)
    for name in sorted(SCHEMA_NAMES):
        document = dict(schema(name))
        component = _component_name(name)
        for key, definition in document.pop("definitions", {}).items():
            components[f"{component}.{key}"] = _moved(definition, component)
        # "name" is not a keyword of JSON Schema, and "links" has another meaning here.
        document = {key: value for key, value in document.items() if key not in ("name", "links")}
        components[component] = _moved({"type": "object", **document}, component)
    return components


def _moved(value: Any, component: str) -> Any:
    """Return a schema with its references changed to where the definitions are now."""
    if isinstance(value, list):
        return [_moved(item, component) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(reference := value.get("$ref"), str):
        return {"$ref": reference.replace("#/definitions/", f"#/components/schemas/{component}.")}
    # "format: regex" is left out: a pattern may be any text.
    return {key: _moved(item, component) for key, item in value.items() if (key, item) != ("format", "regex")}


def _object(required: str = "", **properties: Document) -> Document:
    document: Document = {"type": "object", "properties": properties}
    return document | ({"required": required.split()} if required else {})


def _array(items: Document) -> Document:
    return {"type": "array", "items": items}


def _reference(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


_NULLABLE: Document = {"type": ["string", "null"]}
_COUNT = _object("usage limit", usage={"type": "integer"}, limit={"type": "integer"})
_JOB_TEXTS = (
    "job_id source_image_id source_region_id source_tenant_id destination_region_id destination_tenant_id status"
)
_PATCH_OPERATION = {
    "type": "object",
    "properties": {"op": {"enum": ["add", "replace", "remove"]}, "path": {"type": "string", "pattern": "^/"}},
}
_METHOD = _object(
    "name", name=_TEXT, uri=_TEXT, glance_image_id=_TEXT, glance_region=_TEXT, glance_service_interface=_TEXT
)

_VERSION = _object("id status links", id=_TEXT, status=_TEXT, links=_array(_object("rel href", rel=_TEXT, href=_TEXT)))

#: Schemas in addition to the published ones.
_OWN_COMPONENTS: Document = {
    "version": _object("version", version=_VERSION),
    "versions": _object("versions", versions=_array(_VERSION)),
    "document": _object("openapi info paths", openapi=_TEXT, info={"type": "object"}, paths={"type": "object"}),
    "error": _object("message code title", message=_TEXT, code=_TEXT, title=_TEXT),
    "schema": _object("name properties", name=_TEXT, properties={"type": "object"}),
    "patch": _array(_PATCH_OPERATION),
    "offer": _object("member", member={**_TEXT, "minLength": 1, "maxLength": 255}),
    "answer": _object("status", status={"enum": ["pending", "accepted", "rejected"]}),
    "import": _object(
        "method",
        method=_METHOD,
        stores=_array(_TEXT),
        all_stores={"type": "boolean"},
        all_stores_must_succeed={"type": "boolean"},
    ),
    "image_tasks": _object("tasks", tasks=_array(_object("id type status", id=_TEXT, type=_TEXT, status=_TEXT))),
    "location": _object("url", url=_TEXT, validation_data={"type": "object"}),
    "locations": _array(_object("url metadata", url=_TEXT, metadata={"type": "object"})),
    "new_task": _object("type input", type={"const": "import"}, input={"type": "object"}),
    "import_methods": _object("import-methods", **{"import-methods": _object("value", value=_array(_TEXT))}),
    "stores": _object("stores", stores=_array(_object("id", id=_TEXT))),
    "usage": _object("usage", usage={"type": "object", "additionalProperties": _COUNT}),
    "cache": _object(
        "cached_images queued_images",
        cached_images=_array(_object("image_id size", image_id=_TEXT, size=_COUNT)),
        queued_images=_array(_TEXT),
    ),
    "nodes": _array(_TEXT),
    "pruned": _object("total_files_pruned total_bytes_pruned", total_files_pruned=_COUNT, total_bytes_pruned=_COUNT),
    "new_tags": _object("tags", tags=_array(_reference("metadefs.tag"))),
    "resource_types": _object("resource_types", resource_types=_array(_object("name", name=_TEXT))),
    "new_job": _object("image_id tenant_id_dst", image_id=_TEXT, tenant_id_dst=_TEXT),
    "readiness": _object(
        "status checks",
        status={"enum": ["ready", "degraded", "not ready"]},
        checks={"type": "object", "additionalProperties": _TEXT},
    ),
    "job_id": _object("job_id", job_id=_TEXT),
    "job": _object(
        f"{_JOB_TEXTS} copy_progress",
        **dict.fromkeys(_JOB_TEXTS.split(), _TEXT),
        source_image_name=_NULLABLE,
        destination_image_id=_NULLABLE,
        copy_progress={"type": "integer"},
    ),
    "jobs": _array(_reference("job")),
    "license_types": _object("license_switch_types", license_switch_types=_array(_TEXT)),
}
