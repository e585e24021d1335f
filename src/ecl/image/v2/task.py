"""A task: work of the service on an image, after it has answered the request."""

from __future__ import annotations

from typing import Any

from ecl import resource2
from ecl.image import image_service

__all__ = ["ImageTask", "Task"]


class Task(resource2.Resource):
    """A task, running or ended. Only administrators see tasks as such."""

    resources_key = "tasks"
    service = image_service.ImageService()
    base_path = "/v2/tasks"

    allow_create = True
    allow_get = True
    allow_list = True

    _pages_have_links = True
    _query_mapping = resource2.QueryParameters("limit", "marker", "sort_dir", "sort_key", "status", "type")

    #: Identifier of the task.
    id = resource2.Body[str]("id")
    #: What kind of task: ``import``, ``api_image_import``, ``location_import``.
    type = resource2.Body[str]("type")
    #: pending, processing, success or failure.
    status = resource2.Body[str]("status")
    #: Project that the task belongs to, and the user and request that started it.
    owner_id = resource2.Body[str]("owner")
    user_id = resource2.Body[str]("user_id")
    request_id = resource2.Body[str]("request_id")
    #: Image that it is about.
    image_id = resource2.Body[str]("image_id")
    #: Input and result.
    input = resource2.Body[dict[str, Any]]("input")
    result = resource2.Body[dict[str, Any]]("result")
    #: Why it failed.
    message = resource2.Body[str]("message")
    #: ISO 8601, UTC. After *expires_at* the service forgets the task.
    created_at = resource2.Body[str]("created_at")
    updated_at = resource2.Body[str]("updated_at")
    expires_at = resource2.Body[str]("expires_at")
    #: Path of the schema of a task.
    schema = resource2.Body[str]("schema")


class ImageTask(Task):
    """A task, listed by its image: visible to everybody who sees the image."""

    base_path = "/v2/images/%(image_id)s/tasks"

    allow_create = False
    allow_get = False

    #: Image whose tasks are listed.
    image_id = resource2.URI[str]("image_id")
