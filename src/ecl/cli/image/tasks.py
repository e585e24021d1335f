"""``ecl image task list``, ``show`` and ``create``: tasks of the cloud, such as imports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._json import JsonObject
from ecl.cli._numbers import WholeNumber
from ecl.cli._output import Column, Output, listing, showing
from ecl.cli._suggest import Choice
from ecl.cli.image._find import IMAGE, find, newest_option

if TYPE_CHECKING:
    from ecl.image.v2.task import Task

__all__ = ["task_create", "task_list", "task_show"]

_COLUMNS = [Column("id", "ID"), Column("type", "Type"), Column("status", "Status"), Column("owner", "Owner")]
_STATUSES = ("pending", "processing", "success", "failure")
_SORT_KEYS = ("id", "type", "status", "created_at", "updated_at", "expires_at")


@click.command("list", cls=Command, columns=_COLUMNS)
@click.argument("image", type=IMAGE, required=False)
@newest_option
@click.option("--status", type=Choice(*_STATUSES), help="List only tasks with this status.")
@click.option("--type", "kind", metavar="TYPE", help="List only tasks of this type, such as api_image_import.")
@click.option("--sort-key", type=Choice(*_SORT_KEYS), help="Let the cloud sort by this attribute.")
@click.option("--sort-dir", type=Choice("asc", "desc"), help="Sort in this direction.")
@click.option("--limit", type=WholeNumber(), help="Most tasks to list.")
@listing
@pass_cloud
def task_list(
    cloud: Cloud,
    out: Output,
    *,
    image: str | None,
    newest: bool,
    status: str | None,
    kind: str | None,
    sort_key: str | None,
    sort_dir: str | None,
    limit: int | None,
) -> None:
    """List the tasks of IMAGE; without IMAGE, all tasks of the cloud (administrators)."""
    wanted = {"status": status, "type": kind}
    found: Iterable[Task]
    if image is not None:
        if sort_key or sort_dir:
            raise click.UsageError("The cloud does not sort the tasks of one image: use --sort-column.")
        tasks = cloud.image.image_tasks(find(cloud, image, newest))
        found = (task for task in tasks if all(value in (None, task[name]) for name, value in wanted.items()))
    else:
        query: dict[str, Any] = {**wanted, "sort_key": sort_key, "sort_dir": sort_dir}
        found = cloud.image.tasks(**{name: value for name, value in query.items() if value is not None})
    rows = (dict(task) for number, task in enumerate(found) if limit is None or number < limit)
    out.rows(_COLUMNS, rows)


@click.command("show", cls=Command)
@click.argument("task", metavar="TASK")
@showing
@pass_cloud
def task_show(cloud: Cloud, out: Output, *, task: str) -> None:
    """Show a task (administrators). TASK is its ID."""
    out.fields(dict(cloud.image.get_task(task)))


@click.command("create", cls=Command)
@click.option("--type", "kind", metavar="TYPE", default="import", help="Type of the task.  [import]")
@click.option("--input", "document", type=JsonObject(), required=True, help="Input of the task.")
@showing
@pass_cloud
def task_create(cloud: Cloud, out: Output, *, kind: str, document: dict[str, Any]) -> None:
    """
    Create a task (administrators). `ecl image import` is for everybody.

    \b
    Examples:
      ecl image task create --input @task.json
    """
    out.fields(dict(cloud.image.create_task(type=kind, input=document)))
