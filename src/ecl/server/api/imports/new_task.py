"""Add an import task to the database: common to all requests that start one."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import Connection

from ecl.server.api.common.request import ImageRequest
from ecl.server.clock import now
from ecl.server.db.images import update_image
from ecl.server.db.leases import IMPORTS
from ecl.server.db.tasks import insert_task
from ecl.server.domain.image import Image
from ecl.server.domain.import_request import FAILED_IMPORT, IMPORT_TASK, IMPORTING_TO
from ecl.server.domain.task import PENDING, Task

__all__ = ["add_task"]


def add_task(
    request: ImageRequest, connection: Connection, image: Image, kind: str, task_input: dict[str, Any]
) -> Task:
    """
    Add a task about *image*, and mark the image with it. Wake the importer once that is committed.

    Raises:
        TooMany: The project has as many unfinished tasks as it may have.
    """
    caller, region = request.caller, request.service.region.name
    moment = now()
    task = Task(
        id=str(uuid.uuid4()),
        region=region,
        type=kind,
        status=PENDING,
        image_id=image.id,
        owner=caller.project_id,
        user_id=caller.user_id,
        request_id=request.scope.get("ecl.request_id"),
        input=task_input,
        result=None,
        message="",
        created_at=moment,
        updated_at=moment,
        expires_at=None,
    )
    IMPORTS.check_most(connection, caller.project_id, request.service.settings.project_jobs)
    insert_task(connection, task)
    marked = image.copy()
    marked.properties |= {
        IMPORT_TASK: task.id,
        IMPORTING_TO: ",".join(task_input["backend"]),
        FAILED_IMPORT: "",
    }
    update_image(connection, region, image, marked)
    return task
