"""``ecl image sync``: apply a manifest of images to one or more clouds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._completion import CloudName
from ecl.cli._confirm import confirm, say
from ecl.cli._errors import Interrupted, describe
from ecl.cli._output import Column, Output, listing
from ecl.cli._progress import meter, progress_option
from ecl.cli.image._advice import manifest_advice
from ecl.cli.image._manifest import Manifest, read_manifest
from ecl.cli.image._options import bandwidth_option, yes_option
from ecl.cli.image._plan import Step, plan
from ecl.cli.image._record import described
from ecl.cli.image._sources import Content

__all__ = ["sync"]

_COLUMNS = [
    Column("cloud", "Cloud"),
    Column("action", "Action"),
    Column("name", "Name"),
    Column("id", "ID", extra=1),
    Column("why", "Why"),
]


@click.command(cls=Command, columns=_COLUMNS)
@click.argument("manifest", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--cloud",
    "clouds",
    multiple=True,
    type=CloudName(),
    metavar="CLOUD",
    help="Cloud in clouds.yaml; repeatable.  [clouds of the manifest, or --os-cloud]",
)
@click.option("--apply", is_flag=True, help="Apply the plan; without this option it is only shown.")
@click.option("--dry-run", is_flag=True, help="Show the plan only, even with --apply.")
@click.option("--prune", is_flag=True, help="Delete images of this manifest that it has replaced or no longer names.")
@yes_option
@bandwidth_option
@progress_option
@listing
@pass_cloud
def sync(
    cloud: Cloud,
    out: Output,
    *,
    manifest: Path,
    clouds: tuple[str, ...],
    apply: bool,
    dry_run: bool,
    prune: bool,
    yes: bool,
    max_bandwidth: int | None,
    progress: str,
) -> None:
    """
    Apply MANIFEST, a YAML list of images, to one or more clouds.

    The command shows a plan; --apply runs it. A second run finds nothing to do. If the data of an image differs, a new
    image is uploaded and the previous one is hidden. Only --prune deletes images, and only those that this manifest
    created.

    \b
    name: base                    # marks the images of this manifest  [name of the file]
    clouds: [jp1, jp2]
    images:
      - name: debian-13
        source: debian-13.qcow2   # a file beside the manifest, or an https address
        checksum: sha256:…
        disk_format: qcow2
        visibility: shared
        tags: [base]
        properties: {os_distro: debian, os_version: "13"}
    """
    wanted = read_manifest(manifest)
    names = clouds or wanted.clouds
    targets = {name: cloud.other(name) for name in names} if names else {cloud.config.name: cloud}
    contents = {entry.name: Content(entry) for entry in wanted.entries}
    rows: list[dict[str, Any]] = []
    todo: list[tuple[str, Step, dict[str, Any]]] = []
    seen: dict[tuple[str, str], str] = {}
    for name, target in targets.items():
        twin = seen.setdefault(_place(name, target), name)
        if twin != name:
            say(f"{name} is the same project as {twin}, so it is left out.")
            continue
        for step, row in _planned(name, target, wanted, contents, prune):
            rows.append(row)
            if step is not None and step.action not in ("keep", "conflict", "error"):
                todo.append((name, step, row))
    failed = sum(row["action"] in ("conflict", "error") for row in rows)
    if apply and not dry_run:
        _ask_for_deletions(todo, yes)
        failed += _apply(targets, todo, progress, max_bandwidth)
    elif todo:
        say(f"{len(todo)} steps to do; --apply runs them.")
    out.rows(_COLUMNS, rows)
    if failed:
        raise click.ClickException(f"{failed} of {len(rows)} steps failed.")


def _place(name: str, cloud: Cloud) -> tuple[str, str]:
    """Return the project and the address that a cloud of clouds.yaml stands for; its name, if that is not known."""
    from ecl import _http, exceptions
    from ecl.image.image_service import ImageService

    try:
        return cloud.project_id, _http.endpoint(cloud.session, ImageService())
    except exceptions.ConfigException:
        raise
    except exceptions.SDKException:
        # The plan for this cloud meets the same error, and shows it.
        return "", name


def _planned(
    name: str, cloud: Cloud, manifest: Manifest, contents: dict[str, Content], prune: bool
) -> list[tuple[Step | None, dict[str, Any]]]:
    """Return the steps for one cloud, with their rows. An error becomes a row; the other clouds go on."""
    from ecl import exceptions

    try:
        steps = plan(cloud, manifest, contents, prune)
    except exceptions.SDKException as exc:
        if isinstance(exc, exceptions.ConfigException):
            raise
        return [(None, {"cloud": name, "action": "error", "name": None, "id": None, "why": describe(exc)})]
    rows = []
    for step in steps:
        identifier = step.image.id if step.image is not None and step.action != "replace" else None
        rows.append(
            (step, {"cloud": name, "action": step.action, "name": step.name, "id": identifier, "why": step.why})
        )
    return rows  # type: ignore[return-value]  # a list is invariant


def _ask_for_deletions(todo: list[tuple[str, Step, dict[str, Any]]], yes: bool) -> None:
    images = [step.image for _, step, _ in todo if step.action == "delete" and step.image is not None]
    if images:
        confirm(f"Delete {len(images)} images ({', '.join(map(described, images))})?", yes)


def _apply(
    targets: dict[str, Cloud],
    todo: list[tuple[str, Step, dict[str, Any]]],
    progress: str,
    max_bandwidth: int | None,
) -> int:
    """Run the steps, write the results into the rows, and return how many steps failed."""
    from ecl import exceptions

    failed: set[tuple[str, str]] = set()
    for name, step, row in todo:
        if (name, step.name) in failed:
            # The new image was not uploaded, so the old one must stay.
            row.update(action="error", why="not done: the step before failed")
            continue
        try:
            with meter(progress if step.content else "none", f"{step.action} in {name}:", step.name) as at:
                image = step.do(targets[name], at, max_bandwidth)
            row["id"] = image.id if image is not None else row["id"]
        except exceptions.SDKException as exc:
            failed.add((name, step.name))
            row.update(action="error", why=manifest_advice(describe(exc)))
        except KeyboardInterrupt as exc:
            undone = " ".join(getattr(exc, "__notes__", ())) or f"{step.action} {step.name} in {name} was undone."
            raise Interrupted(f"{undone} Finished steps stay; the same command does the rest.") from exc
    return sum(row["action"] == "error" for _, _, row in todo)
