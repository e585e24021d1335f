"""``ecl image sync``: a manifest of images, made true in one or many clouds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._confirm import confirm, say
from ecl.cli._errors import Interrupted, describe
from ecl.cli._output import Column, Output, listing
from ecl.cli._progress import meter, progress_option
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
    Column("id", "ID"),
    Column("why", "Why"),
]


@click.command(cls=Command)
@click.argument("manifest", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--cloud",
    "clouds",
    multiple=True,
    metavar="CLOUD",
    help="A cloud of clouds.yaml; repeatable.  [those of the manifest, else --os-cloud]",
)
@click.option("--apply", is_flag=True, help="Do it; without this, the plan is shown and nothing is done.")
@click.option("--dry-run", is_flag=True, help="Show the plan only, which is what happens without --apply, too.")
@click.option("--prune", is_flag=True, help="Delete images of this manifest that it replaced or names no more.")
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
    Make the images of MANIFEST, a YAML file, be there in one or many clouds.

    Shows what is to be done; --apply does it, and doing it again does nothing. An image whose data differs is uploaded
    anew, and the previous one hidden. Nothing is ever deleted without --prune, and then only what this manifest has
    made.

    \b
    name: base                    # what its images are marked with  [the file's name]
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
    contents = {each.name: Content(each) for each in wanted.entries}
    rows: list[dict[str, Any]] = []
    todo: list[tuple[str, Step, dict[str, Any]]] = []
    for name, each in targets.items():
        for step, row in _planned(name, each, wanted, contents, prune):
            rows.append(row)
            if step is not None and step.action not in ("keep", "conflict"):
                todo.append((name, step, row))
    failed = sum(row["action"] in ("conflict", "error") for row in rows)
    if apply and not dry_run:
        _ask_for_deletions(todo, yes)
        failed += _apply(targets, todo, progress, max_bandwidth)
    elif todo:
        say(f"{len(todo)} to do; --apply does it.")
    out.rows(_COLUMNS, rows)
    if failed:
        raise click.ClickException(f"{failed} of {len(rows)} did not work out.")


def _planned(
    name: str, cloud: Cloud, manifest: Manifest, contents: dict[str, Content], prune: bool
) -> list[tuple[Step | None, dict[str, Any]]]:
    """Return the steps for one cloud and their rows; a cloud that cannot be asked does not stop the others."""
    from ecl import exceptions

    try:
        steps = plan(cloud, manifest, contents, prune)
    except exceptions.SDKException as exc:
        if isinstance(exc, exceptions.ConfigException):
            raise
        return [(None, {"cloud": name, "action": "error", "name": None, "id": None, "why": describe(exc)})]
    rows = []
    for each in steps:
        identifier = each.image.id if each.image is not None and each.action != "replace" else None
        rows.append(
            (each, {"cloud": name, "action": each.action, "name": each.name, "id": identifier, "why": each.why})
        )
    return rows  # type: ignore[return-value]  # a list is invariant


def _ask_for_deletions(todo: list[tuple[str, Step, dict[str, Any]]], yes: bool) -> None:
    going = [each for _, step, _ in todo if step.action == "delete" and (each := step.image) is not None]
    if going:
        confirm(f"Delete {len(going)} images ({', '.join(map(described, going))})?", yes)


def _apply(
    targets: dict[str, Cloud],
    todo: list[tuple[str, Step, dict[str, Any]]],
    progress: str,
    max_bandwidth: int | None,
) -> int:
    """Do the steps, and write into the rows what came of them; return how many failed."""
    from ecl import exceptions

    broken: set[tuple[str, str]] = set()
    for name, step, row in todo:
        if (name, step.name) in broken:
            # The image that was to take this one's place is not there.
            row.update(action="error", why="not done, because the step before failed")
            continue
        try:
            with meter(progress if step.content else "none", f"{step.action} in {name}:", step.name) as at:
                image = step.do(targets[name], at, max_bandwidth)
            row["id"] = image.id if image is not None else row["id"]
        except exceptions.SDKException as exc:
            broken.add((name, step.name))
            row.update(action="error", why=describe(exc))
        except KeyboardInterrupt as exc:
            undone = " ".join(getattr(exc, "__notes__", ())) or f"{step.action} {step.name} in {name} was undone."
            raise Interrupted(f"{undone} What was done before stays, and the same command does the rest.") from exc
    return sum(row["action"] == "error" for _, _, row in todo)
