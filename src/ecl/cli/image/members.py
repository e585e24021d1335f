"""``ecl image member …`` and ``share``: the projects that an image is shared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._completion import CloudName
from ecl.cli._confirm import say
from ecl.cli._output import Column, Output, listing, showing
from ecl.cli._suggest import Choice
from ecl.cli.image._advice import member_advice
from ecl.cli.image._dry_run import dry_run_option, print_steps, step
from ecl.cli.image._find import find, image_argument, newest_option

if TYPE_CHECKING:
    from ecl.image.v2.member import Member

__all__ = ["member_add", "member_list", "member_remove", "member_set", "member_show", "share"]

_COLUMNS = [
    Column("image_id", "Image ID", extra=1),
    Column("member_id", "Member ID"),
    Column("status", "Status"),
    Column("created_at", "Created At"),
    Column("updated_at", "Updated At"),
]
_ANSWERS = {"accept": "accepted", "reject": "rejected"}
_domain = click.option("--project-domain", hidden=True)


@click.command("add", cls=Command, columns=_COLUMNS)
@image_argument
@click.argument("project", metavar="PROJECT")
@newest_option
@_domain
@dry_run_option
@showing
@pass_cloud
def member_add(
    cloud: Cloud, out: Output, *, image: str, project: str, newest: bool, project_domain: str | None, dry_run: bool
) -> None:
    """
    Share an image with a project. PROJECT is its ID.

    The project can use the image at once; its lists show the image after it accepts. The visibility of the image must
    be shared.

    \b
    Examples:
      ecl image member add debian-13 0123456789abcdef0123456789abcdef
    """
    del project_domain
    found = find(cloud, image, newest)
    if dry_run:
        print_steps(out, [step("share", found, f"with project {project}")])
        return
    out.fields(_record(cloud.image.create_member(found, member=project), found.id), _COLUMNS)


@click.command("remove", cls=Command, columns=_COLUMNS)
@image_argument
@click.argument("project", metavar="PROJECT")
@newest_option
@_domain
@dry_run_option
@listing
@pass_cloud
def member_remove(
    cloud: Cloud, out: Output, *, image: str, project: str, newest: bool, project_domain: str | None, dry_run: bool
) -> None:
    """Stop sharing an image with a project. PROJECT is its ID."""
    del project_domain
    found = find(cloud, image, newest)
    if dry_run:
        print_steps(out, [step("stop sharing", found, f"with project {project}")])
        return
    with member_advice():
        cloud.image.delete_member(found, project, ignore_missing=False)


@click.command("set", cls=Command, columns=_COLUMNS)
@image_argument
@click.argument("project", metavar="PROJECT")
@click.argument("status", type=Choice("accepted", "rejected", "pending", "accept", "reject"), metavar="STATUS")
@newest_option
@dry_run_option
@showing
@pass_cloud
def member_set(
    cloud: Cloud, out: Output, *, image: str, project: str, status: str, newest: bool, dry_run: bool
) -> None:
    """
    Accept or reject a shared image: STATUS is accepted, rejected or pending.

    PROJECT is the ID of the project that answers; "-" means your own.

    \b
    Examples:
      ecl image member set 01234567-89ab-cdef-0123-456789abcdef - accepted
    """
    found = find(cloud, image, newest)
    project = cloud.project_id if project == "-" else project
    answer = _ANSWERS.get(status, status)
    if dry_run:
        print_steps(out, [step(f"set {answer}", found, f"as project {project}")])
        return
    with member_advice():
        member = cloud.image.update_member(found, project, answer)
    out.fields(_record(member, found.id), _COLUMNS)


@click.command("list", cls=Command, columns=_COLUMNS)
@image_argument
@newest_option
@_domain
@listing
@pass_cloud
def member_list(cloud: Cloud, out: Output, *, image: str, newest: bool, project_domain: str | None) -> None:
    """List the members of an image. The owner sees all members; a member sees only itself."""
    del project_domain
    found = find(cloud, image, newest)
    out.rows(_COLUMNS[:3], (_record(member, found.id) for member in cloud.image.members(found)))


@click.command("show", cls=Command, columns=_COLUMNS)
@image_argument
@click.argument("project", metavar="PROJECT")
@newest_option
@_domain
@showing
@pass_cloud
def member_show(
    cloud: Cloud, out: Output, *, image: str, project: str, newest: bool, project_domain: str | None
) -> None:
    """
    Show whether a project accepted a shared image.

    PROJECT is the ID of the project; "-" means your own.
    """
    del project_domain
    found = find(cloud, image, newest)
    project = cloud.project_id if project == "-" else project
    with member_advice():
        member = cloud.image.get_member(found, project)
    out.fields(_record(member, found.id), _COLUMNS)


@click.command(cls=Command, columns=_COLUMNS)
@image_argument
@click.argument("project", metavar="PROJECT", required=False)
@newest_option
@click.option(
    "--accept-as", type=CloudName(), metavar="CLOUD", help="Cloud in clouds.yaml whose project accepts the image."
)
@dry_run_option
@showing
@pass_cloud
def share(
    cloud: Cloud,
    out: Output,
    *,
    image: str,
    project: str | None,
    newest: bool,
    accept_as: str | None,
    dry_run: bool,
) -> None:
    """
    Share an image with a project and accept it there.

    PROJECT defaults to the project of --accept-as. Running the command again changes nothing.

    \b
    Examples:
      ecl image share debian-13 --accept-as partner
    """
    from ecl import exceptions

    if project is None and accept_as is None:
        raise click.UsageError("There is no project to share with: give PROJECT, or --accept-as CLOUD.")
    there = cloud.other(accept_as) if accept_as else None
    if there is not None and project is None:
        project = there.project_id
    assert project is not None
    if there is not None and there.project_id != project:
        raise click.UsageError(f"Cloud {accept_as!r} is logged in to project {there.project_id}, not {project}.")
    found = find(cloud, image, newest)
    if dry_run:
        steps = [step("share", found, f"with project {project}")]
        steps += [step("accept", found, f"as cloud {accept_as}")] if accept_as else []
        print_steps(out, steps)
        return
    try:
        member = cloud.image.create_member(found, member=project)
    except exceptions.ConflictException:
        member = cloud.image.get_member(found, project)
        say(f"Image {found.id} is already shared with {project}.")
    if there is not None:
        member = there.image.update_member(str(found.id), project, "accepted")
    out.fields(_record(member, found.id), _COLUMNS)


def _record(member: Member, image_id: str | None) -> dict[str, Any]:
    return {**dict(member), "image_id": image_id}
