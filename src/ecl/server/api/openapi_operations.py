"""What each method of each path takes and gives, for the OpenAPI document. A test holds it against the routes."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["OPERATIONS", "Operation"]


@dataclass(frozen=True, slots=True)
class Operation:
    """
    One method of one path.

    Args:
        summary: What is true afterwards.
        gives: Name of a component schema, ``octets``, or None for an answer without a body.
        status: Of success.
        takes: As *gives*, for the request.
        query: Names of query parameters.
        headers: Names of request headers.
    """

    summary: str
    gives: str | None = None
    status: int = 200
    takes: str | None = None
    query: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()


_SORT = ("limit", "marker", "sort_key", "sort_dir")
_IMAGE_FILTERS = (
    *("sort", "name", "id", "status", "visibility", "member_status", "owner", "tag", "protected", "os_hidden"),
    *("disk_format", "container_format", "size_min", "size_max", "created_at", "updated_at"),
)
_IMAGE = "/v2/images/{image_id}"
_JOBS = "/v2/extension/image_replicator/jobs"
_NS = "/v2/metadefs/namespaces"

OPERATIONS: dict[str, Operation] = {
    "GET /v2/images": Operation("List the images that you see.", "images", query=(*_SORT, *_IMAGE_FILTERS)),
    "POST /v2/images": Operation("Create an image.", "image", 201, "image"),
    f"GET {_IMAGE}": Operation("Show an image.", "image"),
    f"PATCH {_IMAGE}": Operation("Change an image: all of the operations, or none.", "image", takes="patch"),
    f"DELETE {_IMAGE}": Operation("Delete an image.", status=204),
    f"GET {_IMAGE}/file": Operation("Download an image, or a part of it.", "octets", headers=("Range",)),
    f"PUT {_IMAGE}/file": Operation(
        "Upload an image.", None, 204, "octets", headers=("X-Image-Meta-Store", "X-OpenStack-Image-Size")
    ),
    f"PUT {_IMAGE}/stage": Operation("Upload an image to be imported later.", None, 204, "octets"),
    f"POST {_IMAGE}/import": Operation("Import an image.", None, 202, "import", headers=("X-Image-Meta-Store",)),
    f"GET {_IMAGE}/tasks": Operation("List the tasks of an image.", "image_tasks"),
    f"GET {_IMAGE}/locations": Operation("List the places that have an image's data.", "locations"),
    f"POST {_IMAGE}/locations": Operation("Fill an image from a URL.", None, 202, "location"),
    f"GET {_IMAGE}/members": Operation("List the projects that an image is offered to.", "members"),
    f"POST {_IMAGE}/members": Operation("Offer an image to a project.", "member", takes="offer"),
    f"GET {_IMAGE}/members/{{member_id}}": Operation("Show an offer.", "member"),
    f"PUT {_IMAGE}/members/{{member_id}}": Operation("Accept or reject an offer.", "member", takes="answer"),
    f"DELETE {_IMAGE}/members/{{member_id}}": Operation("Take an offer back.", status=204),
    f"PUT {_IMAGE}/tags/{{tag}}": Operation("Tag an image.", status=204),
    f"DELETE {_IMAGE}/tags/{{tag}}": Operation("Take a tag from an image.", status=204),
    f"POST {_IMAGE}/actions/deactivate": Operation("Let only administrators download an image.", status=204),
    f"POST {_IMAGE}/actions/reactivate": Operation("Let an image be downloaded again.", status=204),
    "GET /v2/tasks": Operation("List tasks.", "tasks", query=(*_SORT, "status", "type")),
    "POST /v2/tasks": Operation("Start a task.", "task", 201, "new_task"),
    "GET /v2/tasks/{task_id}": Operation("Show a task.", "task"),
    "GET /v2/info/import": Operation("List the ways to import.", "import_methods"),
    "GET /v2/info/stores": Operation("List the stores.", "stores"),
    "GET /v2/info/stores/detail": Operation("List the stores with their properties.", "stores"),
    "GET /v2/info/usage": Operation("Show what your project uses of its limits.", "usage"),
    "DELETE /v2/stores/{store}/{image_id}": Operation("Remove an image's data from one of its stores.", status=204),
    "GET /v2/cache": Operation("There is no cache: 404."),
    "DELETE /v2/cache": Operation("There is no cache: 404.", status=204),
    "POST /v2/cache/clean": Operation("There is no cache: 404."),
    "POST /v2/cache/prune": Operation("There is no cache: 404."),
    "GET /v2/cache/nodes/{image_id}": Operation("There is no cache: 404."),
    "PUT /v2/cache/{image_id}": Operation("There is no cache: 404.", status=202),
    "DELETE /v2/cache/{image_id}": Operation("There is no cache: 404.", status=204),
    f"GET {_NS}": Operation("List namespaces.", "metadefs/namespaces", query=(*_SORT, "visibility", "resource_types")),
    f"POST {_NS}": Operation("Create a namespace and all in it.", "metadefs/namespace", 201, "metadefs/namespace"),
    f"GET {_NS}/{{namespace}}": Operation("Show a namespace.", "metadefs/namespace", query=("resource_type",)),
    f"PUT {_NS}/{{namespace}}": Operation("Replace a namespace.", "metadefs/namespace", takes="metadefs/namespace"),
    f"DELETE {_NS}/{{namespace}}": Operation("Delete a namespace and all in it.", status=204),
    f"GET {_NS}/{{namespace}}/objects": Operation("List objects.", "metadefs/objects", query=("limit",)),
    f"POST {_NS}/{{namespace}}/objects": Operation("Add an object.", "metadefs/object", 201, "metadefs/object"),
    f"DELETE {_NS}/{{namespace}}/objects": Operation("Delete all objects.", status=204),
    f"GET {_NS}/{{namespace}}/objects/{{name}}": Operation("Show an object.", "metadefs/object"),
    f"PUT {_NS}/{{namespace}}/objects/{{name}}": Operation(
        "Replace an object.", "metadefs/object", takes="metadefs/object"
    ),
    f"DELETE {_NS}/{{namespace}}/objects/{{name}}": Operation("Delete an object.", status=204),
    f"GET {_NS}/{{namespace}}/properties": Operation("List properties.", "metadefs/properties"),
    f"POST {_NS}/{{namespace}}/properties": Operation("Add a property.", "metadefs/property", 201, "metadefs/property"),
    f"DELETE {_NS}/{{namespace}}/properties": Operation("Delete all properties.", status=204),
    f"GET {_NS}/{{namespace}}/properties/{{name}}": Operation(
        "Show a property.", "metadefs/property", query=("resource_type",)
    ),
    f"PUT {_NS}/{{namespace}}/properties/{{name}}": Operation(
        "Replace a property.", "metadefs/property", takes="metadefs/property"
    ),
    f"DELETE {_NS}/{{namespace}}/properties/{{name}}": Operation("Delete a property.", status=204),
    f"GET {_NS}/{{namespace}}/tags": Operation("List tags.", "metadefs/tags", query=_SORT),
    f"POST {_NS}/{{namespace}}/tags": Operation(
        "Replace all tags, or add some.", "metadefs/tags", 201, "new_tags", headers=("X-Openstack-Append",)
    ),
    f"DELETE {_NS}/{{namespace}}/tags": Operation("Delete all tags.", status=204),
    f"GET {_NS}/{{namespace}}/tags/{{name}}": Operation("Show a tag.", "metadefs/tag"),
    f"POST {_NS}/{{namespace}}/tags/{{name}}": Operation("Add a tag.", "metadefs/tag", 201),
    f"PUT {_NS}/{{namespace}}/tags/{{name}}": Operation("Rename a tag.", "metadefs/tag", takes="metadefs/tag"),
    f"DELETE {_NS}/{{namespace}}/tags/{{name}}": Operation("Delete a tag.", status=204),
    f"GET {_NS}/{{namespace}}/resource_types": Operation("List what a namespace is for.", "metadefs/resource_types"),
    f"POST {_NS}/{{namespace}}/resource_types": Operation(
        "Say what a namespace is for.", "metadefs/resource_type", 201, "metadefs/resource_type"
    ),
    f"DELETE {_NS}/{{namespace}}/resource_types/{{name}}": Operation(
        "Say that a namespace is for it no more.", status=204
    ),
    "GET /v2/metadefs/resource_types": Operation("List all kinds of resource.", "resource_types"),
    f"GET {_JOBS}": Operation("List your image copies.", "jobs"),
    f"POST {_JOBS}": Operation("Copy an image to a tenant of another region.", "job_id", 202, "new_job"),
    f"GET {_JOBS}/{{job_id}}": Operation("Show an image copy.", "job"),
    f"DELETE {_JOBS}/{{job_id}}": Operation("Cancel an image copy.", status=204),
    "GET /v2/extension/license_switch/types": Operation("List the region's licence switch types.", "license_types"),
}
