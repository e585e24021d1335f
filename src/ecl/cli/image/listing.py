"""``ecl image list`` and ``show``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._completion import SortKeys, one_of
from ecl.cli._numbers import WholeNumber
from ecl.cli._output import Column, Output, listing, showing
from ecl.cli._suggest import Choice
from ecl.cli.image._find import IMAGE, find, image_argument, newest_option
from ecl.cli.image._options import CONTAINER_FORMATS, DISK_FORMATS, key_value
from ecl.cli.image._record import FIELDS, LONG, SHORT, print_image, record

if TYPE_CHECKING:
    from ecl.image.v2.image import Image

__all__ = ["list_images", "show"]

#: What Glance sorts by.
_SORT_KEYS = (
    "name", "status", "container_format", "disk_format", "size", "id", "created_at", "updated_at", "min_disk",
    "min_ram",
)  # fmt: skip
_VISIBILITIES = {
    "public": "List only public images.",
    "private": "List only private images.",
    "community": "List only community images, of all projects.",
    "shared": "List only shared images.",
    "all": "Also list community images of other projects.",
}


def _visibility(command: Any) -> Any:
    for name, text in reversed(_VISIBILITIES.items()):
        command = click.option(f"--{name}", "visibility", flag_value=name, help=text)(command)
    return command


@click.command("list", cls=Command, columns=FIELDS)
@_visibility
@click.option("--shared-with-me", is_flag=True, help="List only images that other projects share with this one.")
@click.option("--name", help="List only images with exactly this name.")
@click.option("--status", help="List only images with this status: queued, active, deactivated …")
@click.option("--tag", "tags", multiple=True, help="List only images with this tag; repeatable: all tags must match.")
@click.option(
    "--property",
    "properties",
    multiple=True,
    callback=key_value,
    metavar="KEY=VALUE",
    help="List only images with this property; repeatable.",
)
@click.option(
    "--member-status",
    type=Choice("accepted", "pending", "rejected", "all"),
    help="List only shared images with this answer of this project.",
)
@click.option("--project", "--owner", "owner", metavar="ID", help="List only images of this project.")
@click.option("--project-domain", hidden=True)
@click.option(
    "--disk-format",
    metavar="FORMAT",
    shell_complete=one_of(DISK_FORMATS),
    help="List only images with this disk format.",
)
@click.option(
    "--container-format",
    metavar="FORMAT",
    shell_complete=one_of(CONTAINER_FORMATS),
    help="List only images with this container format.",
)
@click.option("--hidden", is_flag=True, help="List hidden images instead of visible ones.")
@click.option("--long", "is_long", is_flag=True, help="Show more columns.")
@click.option(
    "--sort",
    type=SortKeys(*_SORT_KEYS),
    default="name:asc",
    metavar="KEY[:DIR],…",
    help="Let the cloud sort by these keys.  [name:asc]",
)
@click.option("--limit", "--max-items", type=WholeNumber(), help="Most images to list.")
@click.option("--page-size", type=WholeNumber(1), help="Most images per request.")
@click.option("--marker", type=IMAGE, help="Start after this image.")
@listing
@pass_cloud
def list_images(
    cloud: Cloud,
    out: Output,
    *,
    visibility: str | None,
    shared_with_me: bool,
    tags: tuple[str, ...],
    properties: dict[str, str],
    project_domain: str | None,
    hidden: bool,
    is_long: bool,
    marker: str | None,
    **query: Any,
) -> None:
    """
    List the images that this project can see.

    \b
    Examples:
      ecl image list --tag base --property os_distro=debian
      ecl image list -f json -c id -c size --sort created_at:desc --limit 5
    """
    del project_domain
    filters = {key: value for key, value in query.items() if value is not None}
    filters |= {"tag": list(tags)} if tags else {}
    filters |= {"os_hidden": True} if hidden else {}
    filters |= {"visibility": visibility} if visibility else {}
    filters |= {"marker": find(cloud, marker).id} if marker else {}
    if "name" in filters:
        from ecl.image.v2._query import Exactly

        filters["name"] = Exactly(filters["name"])
    filters |= {"properties": properties}
    columns = LONG if is_long else SHORT
    if shared_with_me:
        out.rows([*columns, Column("member_status", "Member Status")], _shared_with(cloud, filters), FIELDS)
    else:
        out.rows(columns, (record(image) for image in cloud.image.images(**filters)), FIELDS)


def _shared_with(cloud: Cloud, filters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the images that other projects share with this one, each with its member status."""
    wanted = filters.pop("member_status", "all")
    project = cloud.project_id
    remaining = filters.pop("limit", None)
    seen: set[str | None] = set()
    for status in ("accepted", "pending", "rejected") if wanted == "all" else (wanted,):
        query = {**filters, "visibility": "shared", "member_status": status}
        for image in cloud.image.images(**query):
            if image.owner == project or image.id in seen or not _is_member(cloud, image, project, status):
                continue
            if remaining == 0:
                return
            remaining = remaining - 1 if remaining is not None else None
            seen.add(image.id)
            yield {**record(image), "member_status": status}


def _is_member(cloud: Cloud, image: Image, project: str, status: str) -> bool:
    """Tell whether *project* is a member with that status: lists of administrators also have other members' images."""
    from ecl import exceptions

    if not _sees_all(cloud):
        return True
    try:
        return cloud.image.get_member(image, project).status == status
    except (exceptions.NotFoundException, exceptions.ForbiddenException):
        return False


def _sees_all(cloud: Cloud) -> bool:
    access = getattr(cloud.session.auth, "get_access", None)
    return access is None or "admin" in (access(cloud.session).role_names or ())


@click.command(cls=Command, columns=FIELDS)
@image_argument
@newest_option
@showing
@pass_cloud
def show(cloud: Cloud, out: Output, *, image: str, newest: bool) -> None:
    """
    Show an image.

    \b
    Examples:
      ecl image show debian-13
      ecl image show debian-13 -f value -c id
    """
    print_image(out, find(cloud, image, newest))
