"""``ecl demo``: every feature once, on this machine, each step checked."""

from __future__ import annotations

import filecmp
import hashlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ecl.cli._values import human_size
from ecl.cli.serve._service import explained

if TYPE_CHECKING:
    from ecl.image.v2._proxy import Proxy
    from ecl.image.v2.image import Image
    from ecl.testing import ImageService, TestProject

__all__ = ["demo"]

_STEPS = 16
_LICENSE_TYPES = ["WindowsServer_2012R2_Standard_64_ComLicense", "Red_Hat_Enterprise_Linux_7_64bit_BYOL"]


@click.command()
@click.argument("image", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path), required=False)
def demo(image: Path | None) -> None:
    """
    Run a demonstration: start a service with two regions in a temporary folder, use every feature once, stop it.

    IMAGE is the disk image to use; without it the command makes a raw disk of 256 MiB. It changes none of your files
    and clouds. The exit code is 0 only if every step succeeds.
    """
    from ecl import exceptions

    with tempfile.TemporaryDirectory(prefix="ecl-demo-") as folder, explained():
        try:
            _Demo(Path(folder)).run(image)
        except (exceptions.SDKException, _WrongResult, OSError) as exc:
            click.echo("failed", err=False)
            raise click.ClickException(f"the step failed: {exc}") from exc


class _WrongResult(Exception):
    """A step ended without an error, but with a wrong result."""


def _check(is_right: bool, problem: str) -> None:
    if not is_right:
        raise _WrongResult(problem)


class _Demo:
    """The steps, in order. Each prints one line: what it does, and the result."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0
        self._steps = _STEPS
        self._note = ""
        self._is_terminal = sys.stdout.isatty()

    def run(self, image: Path | None) -> None:
        """Run all steps."""
        started = time.monotonic()
        self._steps += image is None
        path = image or self._make_disk()
        # Imported here: loading the libraries is part of the start.
        with self._step("start a service with the regions jp1 and jp2"):
            from ecl.testing import ImageService

            regions = [{"name": name, "license_switch_types": _LICENSE_TYPES} for name in ("jp1", "jp2")]
            service = ImageService(regions, data_dir=self._folder / "service", testing=False)
            service.start()
        try:
            self._use(service, path)
            with self._step("stop the service"):
                _check(service.stop() == 0, "the service did not stop cleanly")
        finally:
            service.close()
        click.echo(f"Everything held, in {time.monotonic() - started:.1f} s.")

    def _make_disk(self) -> Path:
        from ecl.cli._demo_disk import make_disk

        path = self._folder / "disk.raw"
        with self._step("make a disk: boot sector, data, holes"):
            make_disk(path)
            self._note = human_size(path.stat().st_size)
        return path

    def _use(self, service: ImageService, path: Path) -> None:
        here = service.connect("jp1").image
        there = service.connect("jp2").image
        guest = service.add_project("jp1")
        image = self._upload(here, path)
        self._look_around(here, image)
        self._share(here, service.connect(project=guest).image, guest, image)
        self._copy(here, there, service.credentials("jp2")["project_id"], image)
        self._download(here, path, image)
        self._extras(here)
        self._delete(here, there, image)

    def _upload(self, here: Proxy, path: Path) -> Image:
        with self._step(f"upload {path.name}, hashed on both sides") as progress:
            begun = time.monotonic()
            image = here.create_image(name="demo", data=path, os_distro="debian", progress=progress)
            self._note = _rate(path.stat().st_size, begun)
            _check(image.image_status == "active", f"the image is {image.image_status}")
            _check(image.size == path.stat().st_size, f"the image has {image.size} bytes")
        return image

    def _look_around(self, here: Proxy, image: Image) -> None:
        with self._step("list images"):
            found = list(here.images())
            self._note = ", ".join(f"{one.name} ({one.disk_format}, {one.image_status})" for one in found)
            _check([one.id for one in found] == [image.id], "the list is not exactly the uploaded image")
        with self._step("find it by name"):
            self._note = f"{here.find_image('demo', ignore_missing=False).id}"
            _check(self._note == image.id, "another image was found")
        with self._step("tag it"):
            here.add_tag(image, "demo tag")
            _check(here.get_image(image).tags == ["demo tag"], "the tag is missing")
        with self._step("update it"):
            changed = here.update_image(image, {"min_disk": 1, "os_version": "13"})
            self._note = f"min_disk {changed.min_disk} GB, os_version {changed['os_version']}"
            _check((changed.min_disk, changed["os_version"]) == (1, "13"), "the update is missing")

    def _share(self, here: Proxy, guest: Proxy, project: TestProject, image: Image) -> None:
        with self._step("share it with a second tenant"):
            member = here.create_member(image, member=project.id)
            self._note = f"{member.status}"
            _check(list(guest.images()) == [], "the tenant lists the image before accepting it")
        with self._step("accept it there"):
            self._note = f"{guest.update_member(image, project.id, 'accepted').status}"
            _check([one.id for one in guest.images()] == [image.id], "the tenant does not list the image")

    def _copy(self, here: Proxy, there: Proxy, tenant: str, image: Image) -> None:
        with self._step("copy it to a tenant in region jp2") as progress:
            begun = time.monotonic()
            job = here.copy_image(image.id or "", tenant)
            done = here.wait_for_image_copy(job, progress=lambda percent: progress(percent, 100), interval=0.1)
            self._note = f"{done.status}, {_rate(image.size or 0, begun)}"
        with self._step("compare the hashes there"):
            copied = there.get_image(done.destination_image_id or "")
            self._note = f"{copied.os_hash_algo} {str(copied.os_hash_value)[:16]}…"
            _check(copied.os_hash_value == image.os_hash_value, "the hash of the copy differs")
            _check(copied["os_distro"] == "debian", "the copy lacks a property")

    def _download(self, here: Proxy, path: Path, image: Image) -> None:
        target = self._folder / "downloaded"
        with self._step("download it, verified") as progress:
            begun = time.monotonic()
            here.download_image(image, output=target, progress=progress)
            self._note = _rate(target.stat().st_size, begun)
        with self._step("compare it byte by byte"):
            _check(filecmp.cmp(path, target, shallow=False), "the files differ")
            with target.open("rb") as file:
                self._note = f"md5 {hashlib.file_digest(file, _md5).hexdigest()}"
            _check(self._note == f"md5 {image.checksum}", "the checksum of the image differs")

    def _extras(self, here: Proxy) -> None:
        with self._step("list licence switch types"):
            found = [name for license in here.licenses() for name in license.license_switch_types or ()]
            self._note = ", ".join(found)
            _check(found == _LICENSE_TYPES, "the types differ from the settings")
        with self._step("show the schema of an image"):
            self._note = f"{len(here.get_image_schema().properties or {})} attributes"
            _check("os_hash_value" in (here.get_image_schema().properties or {}), "the schema lacks an attribute")

    def _delete(self, here: Proxy, there: Proxy, image: Image) -> None:
        with self._step("delete it in both regions"):
            here.delete_image(image, ignore_missing=False)
            for copied in there.images():
                there.delete_image(copied, ignore_missing=False)
            _check([*here.images(), *there.images()] == [], "an image is left")

    @contextmanager
    def _step(self, title: str) -> Iterator[Callable[[int, int | None], None]]:
        """Print *title*, yield a progress callback, and print how long the step took."""
        self._number += 1
        self._note = ""
        head = f"[{self._number:2}/{self._steps}] {title:<48}"
        click.echo(head, nl=False)
        sys.stdout.flush()
        begun = time.monotonic()

        def progress(done: int, total: int | None) -> None:
            if self._is_terminal and total:
                filled = 20 * done // total
                click.echo(f"\r{head} [{'#' * filled:<20}] {100 * done // total:3} %", nl=False)

        yield progress
        if self._is_terminal:
            # Return to the start of the line and erase the bar.
            click.echo(f"\r\x1b[K{head}", nl=False)
        click.echo(f" ok {time.monotonic() - begun:6.2f} s  {self._note}".rstrip())


def _md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)


def _rate(count: int, begun: float) -> str:
    return f"{human_size(count)}, {human_size(int(count / max(time.monotonic() - begun, 1e-6)))}/s"
