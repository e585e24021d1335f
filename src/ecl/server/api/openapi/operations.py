"""Request and response of each method of each path, for the OpenAPI document. A test compares it with the routes."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["OPERATIONS", "Operation"]


@dataclass(frozen=True, slots=True)
class Operation:
    """
    One method of one path.

    Args:
        summary: What it does.
        gives: The response body: a component schema's name, ``octets``, ``text``, or None for no body.
        status: The status of success; 404 for resources that this service never has.
        takes: The request body, as for *gives*.
        query: Names of query parameters.
        headers: Names of request headers.
        fails: Statuses of errors, besides those that `ecl.server.api.openapi.document` adds.
        is_open: True if it needs no token.
    """

    summary: str
    gives: str | None = None
    status: int = 200
    takes: str | None = None
    query: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    fails: tuple[int, ...] = ()
    is_open: bool = False


_SORT = ("limit", "marker", "sort_key", "sort_dir")
_IMAGE_FILTERS = (
    *("sort", "name", "id", "status", "visibility", "member_status", "owner", "tag", "protected", "os_hidden"),
    *("disk_format", "container_format", "created_at", "updated_at", "checksum", "os_hash_algo", "os_hash_value"),
    *("size", "size_min", "size_max", "virtual_size", "virtual_size_min", "virtual_size_max"),
    *("min_ram", "min_ram_min", "min_ram_max", "min_disk", "min_disk_min", "min_disk_max", "properties"),
)
_IMAGE = "/v2/images/{image_id}"
_JOBS = "/v2/extension/image_replicator/jobs"
_NS = "/v2/metadefs/namespaces"
#: Errors of an upload: not queued, deleted meanwhile, too large, wrong content, store unavailable.
#: Without a cache.
_CACHE = (404,)
_CLEAR = ("x-image-cache-clear-target",)
_UPLOAD_FAILS = (409, 410, 413, 415, 503, 507)

OPERATIONS: dict[str, Operation] = {
    "GET /": Operation("List the versions of the API.", "versions", 300, is_open=True),
    "GET /versions": Operation("List the versions of the API.", "versions", is_open=True),
    "GET /v2/": Operation("Show the current version of the API.", "version", is_open=True),
    "GET /healthcheck": Operation("Check that the service runs.", "text", is_open=True),
    "GET /readyz": Operation("Check that the service can do its work.", "readiness", fails=(503,), is_open=True),
    "GET /openapi.json": Operation("Show this document.", "document", is_open=True),
    "GET /v2/images": Operation("List the images that you see.", "images", query=(*_SORT, *_IMAGE_FILTERS)),
    "POST /v2/images": Operation("Create an image.", "image", 201, "image", fails=(409,)),
    f"GET {_IMAGE}": Operation("Show an image.", "image"),
    f"PATCH {_IMAGE}": Operation("Change an image by all operations.", "image", takes="patch", fails=(409, 413, 415)),
    f"DELETE {_IMAGE}": Operation("Delete an image.", status=204),
    f"GET {_IMAGE}/file": Operation(
        "Download an image, or a part of it.", "octets", query=("prefer",), headers=("Range",), fails=(410, 416, 503)
    ),
    f"PUT {_IMAGE}/file": Operation(
        "Upload an image.",
        None,
        204,
        "octets",
        headers=("X-Image-Meta-Store", "X-OpenStack-Image-Size"),
        fails=_UPLOAD_FAILS,
    ),
    f"PUT {_IMAGE}/stage": Operation(
        "Upload an image to be imported later.",
        None,
        204,
        "octets",
        headers=("X-OpenStack-Image-Size",),
        fails=_UPLOAD_FAILS,
    ),
    f"POST {_IMAGE}/import": Operation(
        "Import an image.", None, 202, "import", headers=("X-Image-Meta-Store",), fails=(409,)
    ),
    f"GET {_IMAGE}/tasks": Operation("List the tasks of an image.", "image_tasks"),
    f"GET {_IMAGE}/locations": Operation("List the URLs of an image's data.", "locations"),
    f"POST {_IMAGE}/locations": Operation("Fill an image from a URL.", None, 202, "location", fails=(409,)),
    f"GET {_IMAGE}/members": Operation("List the members of an image.", "members"),
    f"POST {_IMAGE}/members": Operation("Share an image with a project.", "member", takes="offer", fails=(409,)),
    f"GET {_IMAGE}/members/{{member_id}}": Operation("Show a member.", "member"),
    f"PUT {_IMAGE}/members/{{member_id}}": Operation("Accept or reject a shared image.", "member", takes="answer"),
    f"DELETE {_IMAGE}/members/{{member_id}}": Operation("Remove a member.", status=204),
    f"PUT {_IMAGE}/tags/{{tag}}": Operation("Tag an image.", status=204, fails=(413,)),
    f"DELETE {_IMAGE}/tags/{{tag}}": Operation("Remove a tag from an image.", status=204),
    f"POST {_IMAGE}/actions/deactivate": Operation("Let only administrators download an image.", status=204),
    f"POST {_IMAGE}/actions/reactivate": Operation("Let an image be downloaded again.", status=204),
    "GET /v2/tasks": Operation("List tasks.", "tasks", query=(*_SORT, "status", "type"), fails=(404,)),
    "POST /v2/tasks": Operation("Start a task.", "task", 201, "new_task", fails=(409,)),
    "GET /v2/tasks/{task_id}": Operation("Show a task.", "task"),
    "GET /v2/info/import": Operation("List the import methods.", "import_methods"),
    "GET /v2/info/stores": Operation("List the stores.", "stores"),
    "GET /v2/info/stores/detail": Operation("List the stores with their properties.", "stores"),
    "GET /v2/info/usage": Operation("Show your project's quotas and usage.", "usage"),
    "DELETE /v2/stores/{store}/{image_id}": Operation(
        "Remove an image's data from one of its stores.", status=204, fails=(409,)
    ),
    "GET /v2/cache": Operation("List the cached and the queued images.", "cache", fails=_CACHE),
    "DELETE /v2/cache": Operation("Empty cache and queue.", status=204, headers=_CLEAR, fails=(400, *_CACHE)),
    "POST /v2/cache/clean": Operation("Remove what is unfinished.", fails=_CACHE),
    "POST /v2/cache/prune": Operation("Remove what exceeds the bound.", "pruned", fails=_CACHE),
    "GET /v2/cache/nodes/{image_id}": Operation("Show which services have it cached.", "nodes", fails=_CACHE),
    "PUT /v2/cache/{image_id}": Operation("Queue an image for the cache.", status=202, fails=(400, *_CACHE)),
    "DELETE /v2/cache/{image_id}": Operation("Remove an image from cache and queue.", status=204, fails=_CACHE),
    f"GET {_NS}": Operation(
        "List namespaces.", "metadefs/namespaces", query=(*_SORT, "visibility", "resource_types"), fails=(404,)
    ),
    f"POST {_NS}": Operation(
        "Create a namespace with its items.", "metadefs/namespace", 201, "metadefs/namespace", fails=(409,)
    ),
    f"GET {_NS}/{{namespace}}": Operation("Show a namespace.", "metadefs/namespace", query=("resource_type",)),
    f"PUT {_NS}/{{namespace}}": Operation(
        "Replace a namespace.", "metadefs/namespace", takes="metadefs/namespace", fails=(409,)
    ),
    f"DELETE {_NS}/{{namespace}}": Operation("Delete a namespace with its items.", status=204),
    f"GET {_NS}/{{namespace}}/objects": Operation("List objects.", "metadefs/objects", query=("limit",)),
    f"POST {_NS}/{{namespace}}/objects": Operation(
        "Add an object.", "metadefs/object", 201, "metadefs/object", fails=(409,)
    ),
    f"DELETE {_NS}/{{namespace}}/objects": Operation("Delete all objects.", status=204),
    f"GET {_NS}/{{namespace}}/objects/{{name}}": Operation("Show an object.", "metadefs/object"),
    f"PUT {_NS}/{{namespace}}/objects/{{name}}": Operation(
        "Replace an object.", "metadefs/object", takes="metadefs/object", fails=(409,)
    ),
    f"DELETE {_NS}/{{namespace}}/objects/{{name}}": Operation("Delete an object.", status=204),
    f"GET {_NS}/{{namespace}}/properties": Operation("List properties.", "metadefs/properties"),
    f"POST {_NS}/{{namespace}}/properties": Operation(
        "Add a property.", "metadefs/property", 201, "metadefs/property", fails=(409,)
    ),
    f"DELETE {_NS}/{{namespace}}/properties": Operation("Delete all properties.", status=204),
    f"GET {_NS}/{{namespace}}/properties/{{name}}": Operation(
        "Show a property.", "metadefs/property", query=("resource_type",)
    ),
    f"PUT {_NS}/{{namespace}}/properties/{{name}}": Operation(
        "Replace a property.", "metadefs/property", takes="metadefs/property", fails=(409,)
    ),
    f"DELETE {_NS}/{{namespace}}/properties/{{name}}": Operation("Delete a property.", status=204),
    f"GET {_NS}/{{namespace}}/tags": Operation("List tags.", "metadefs/tags", query=_SORT),
    f"POST {_NS}/{{namespace}}/tags": Operation(
        "Replace all tags, or add some.",
        "metadefs/tags",
        201,
        "new_tags",
        headers=("X-Openstack-Append",),
        fails=(409,),
    ),
    f"DELETE {_NS}/{{namespace}}/tags": Operation("Delete all tags.", status=204),
    f"GET {_NS}/{{namespace}}/tags/{{name}}": Operation("Show a tag.", "metadefs/tag"),
    f"POST {_NS}/{{namespace}}/tags/{{name}}": Operation("Add a tag.", "metadefs/tag", 201, fails=(409,)),
    f"PUT {_NS}/{{namespace}}/tags/{{name}}": Operation(
        "Rename a tag.", "metadefs/tag", takes="metadefs/tag", fails=(409,)
    ),
    f"DELETE {_NS}/{{namespace}}/tags/{{name}}": Operation("Delete a tag.", status=204),
    f"GET {_NS}/{{namespace}}/resource_types": Operation(
        "List the resource types of a namespace.", "metadefs/resource_types"
    ),
    f"POST {_NS}/{{namespace}}/resource_types": Operation(
        "Associate a namespace with a resource type.",
        "metadefs/resource_type",
        201,
        "metadefs/resource_type",
        fails=(409,),
    ),
    f"DELETE {_NS}/{{namespace}}/resource_types/{{name}}": Operation(
        "Remove the association with a resource type.", status=204
    ),
    "GET /v2/metadefs/resource_types": Operation("List all resource types.", "resource_types"),
    f"GET {_JOBS}": Operation("List your image copies.", "jobs", query=("limit", "marker")),
    f"POST {_JOBS}": Operation(
        "Copy an image to a tenant of another region.", "job_id", 202, "new_job", fails=(404, 409)
    ),
    f"GET {_JOBS}/{{job_id}}": Operation("Show an image copy.", "job"),
    f"DELETE {_JOBS}/{{job_id}}": Operation("Cancel an image copy.", status=204, fails=(409,)),
    "GET /v2/extension/license_switch/types": Operation("List the region's licence switch types.", "license_types"),
}
