"""What users of eclcli and of openstackclient are used to type."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support.commands import Command

#: Documented invocations, without the program's name. {new} is a name that is free; {queued} an image without data.
ECLCLI = [
    "image list",
    "image list --long --page-size 5 --sort name:desc --limit 3",
    "image list --private --property k=v --marker {image}",
    "image list --public",
    "image list --shared",
    "image show {image}",
    "image create {new}",
    "image create {new} --file {disk} --disk-format raw --container-format bare --property k=v --tag t",
    "image create --id {uuid} --min-disk 1 --min-ram 64 --protected --private --property a=b --property c=d {new}",
    "image create --unprotected --shared --owner {project} {new}",
    "image update {image} --name {new} --min-disk 2 --min-ram 128 --property k=v --tag t",
    "image update {queued} --container-format bare --disk-format raw",
    "image update --protected {image}",
    "image update --unprotected --private {image}",
    "image update {image} --architecture x86_64 --instance-id {uuid} --kernel-id {uuid} --os-distro debian"
    " --os-version 13 --ramdisk-id {uuid}",
    "image update --os-cloud admin --instance-uuid {uuid} --owner {project} {image}",
    "image download --file {target} {image}",
    "image delete {image}",
    "image add-member {image} {guest}",
    "image update-member --os-cloud guest {shared} {guest} accepted",
    "image update-member --os-cloud guest {shared} {guest} rejected",
    "image remove-member {shared} {guest}",
    "image copy {image} {there}",
    "image copy-job-list",
    "image list -f json -c ID -c Name --noindent",
    "image list -f csv --quote all",
    "image show -f shell --prefix image_ {image}",
    "token issue",
    "catalog list",
]

OPENSTACKCLIENT = [
    "image list --private --name {name} --status active --sort name:asc,size:desc --limit 5",
    "image list --community",
    "image list --all --long",
    "image list --hidden --tag a --tag b",
    "image list --member-status all --shared",
    "image list --max-items 2 --fit-width --print-empty --sort-column Name --sort-descending",
    "image list --project {project} --project-domain default",
    "image list -f value -c ID --max-width 80",
    "image show --human-readable {image}",
    "image create --progress --file {disk} {new}",
    "image create --file {disk} --progress --community --project-domain default {new}",
    "image create --size 100000 --force --file {disk} {new}",
    "image set --name {new} --tag t --property k=v --hidden {image}",
    "image set --unhidden --os-distro alma --os-version 9 {image}",
    "image set --shared {image}",
    "image set --accept {shared} --os-cloud guest",
    "image set --reject --project {guest} {shared} --os-cloud guest",
    "image set --pending {shared} --os-cloud guest",
    "image unset --tag t --property k {tagged}",
    "image save --file {target} --chunk-size 4096 {image}",
    "image add project --project-domain default {image} {guest}",
    "image remove project {shared} {guest}",
    "image member list {shared}",
    "image delete {image}",
    "image stage --file {disk} --size 100000 --progress {formats}",
    "image import --method glance-direct --wait {staged}",
    "image stores list",
    "image set --deactivate {image}",
    "image create --import --file {disk} {new}",
    "--os-cloud here --os-image-api-version 2 --os-identity-api-version 3 image list",
    "--os-interface public --os-region-name jp1 --verify image list",
]


@pytest.fixture
def words(
    ecl: Command, image: str, name: str, disk: Path, project_of: Callable[[str], str], tmp_path: Path
) -> Callable[[str], list[str]]:
    """Fill in a documented invocation."""

    def made(purpose: str, *options: str) -> str:
        return ecl("image", "create", f"{name}-{purpose}", *options, "-f", "value", "-c", "id").out.strip()

    def fill(line: str) -> list[str]:
        values: dict[str, str] = {
            "image": image, "name": name, "new": f"{name}-new", "disk": str(disk), "target": str(tmp_path / "target"),
            "uuid": f"{name.removeprefix('image-'):0>8.8}-0000-4000-8000-{name.removeprefix('image-')}",
        }  # fmt: skip
        values |= {cloud: project_of(cloud) for cloud in ("guest", "there") if f"{{{cloud}}}" in line}
        if "{project}" in line:
            values["project"] = project_of("here")
        if "{queued}" in line:
            values["queued"] = made("queued")
        if "{formats}" in line or "{staged}" in line:
            values["formats"] = made("formats", "--disk-format", "raw", "--container-format", "bare")
        if "{staged}" in line:
            values["staged"] = values["formats"]
            ecl("image", "stage", values["staged"], "--file", str(disk))
        if "{tagged}" in line:
            values["tagged"] = made("tagged", "--tag", "t", "--property", "k=v")
        if "{shared}" in line:
            values["shared"] = made("shared")
            ecl("image", "add-member", values["shared"], values.get("guest") or project_of("guest"))
        return line.format(**values).split()

    return fill


@pytest.mark.parametrize("line", ECLCLI)
def test_eclcli(ecl: Command, words: Callable[[str], list[str]], line: str) -> None:
    """A command line of eclcli does here what it did there."""
    ecl(*words(line))


@pytest.mark.parametrize("line", OPENSTACKCLIENT)
def test_openstackclient(ecl: Command, words: Callable[[str], list[str]], line: str) -> None:
    """A command line of openstackclient does here what it does there."""
    ecl(*words(line))
