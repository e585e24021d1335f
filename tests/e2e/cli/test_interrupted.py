"""Ctrl-C while the cloud is silent: the command ends at once, with one sentence and exit code 130."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ecl.testing import ImageService
from support.commands import Command, Terminal
from support.faulty_proxy import Fault, FaultyProxy

#: More than the buffers on the way take.
_SIZE = 64 << 20
#: Bytes of a download, and those that come before the silence.
_DOWNLOAD = 20_000_000
_SOME = 5_000_000
SILENCE = pytest.mark.parametrize(
    "fault",
    [Fault(method="PUT", unanswered=True), Fault(method="PUT", unread=True)],
    ids=["unanswered", "unread"],
)

#: Run the command behind the link until it has shown *after* and a connection is silent, press Ctrl-C, and return what
#: it showed.
Interrupted = Callable[..., str]


@pytest.fixture
def link(service: ImageService) -> Iterator[FaultyProxy]:
    """The network between the command and the service."""
    with FaultyProxy(service.url) as proxy:
        yield proxy


@pytest.fixture
def interrupted(link: FaultyProxy, terminal: Callable[..., Terminal]) -> Interrupted:
    """Interrupt commands."""

    def run(*words: str, after: str = "") -> str:
        shown = terminal("--os-image-endpoint-override", f"{link.url}/image/jp1", *words, columns=400)
        shown.wait_for(after)
        link.until(lambda: link.silent > 0)
        shown.type("\x03")
        assert shown.end() == 130
        assert "Traceback" not in shown.plain
        return " ".join(shown.plain.split())

    return run


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A large disk of zeros."""
    path = tmp_path / "large.raw"
    with path.open("wb") as file:
        file.truncate(_SIZE)
    return path


@pytest.mark.parametrize("more", [(), ("--connections", "2")], ids=["one", "two"])
def test_download(
    interrupted: Interrupted, link: FaultyProxy, ecl: Command, name: str, tmp_path: Path, more: tuple[str, ...]
) -> None:
    """What has come before the silence is kept; the same command brings the rest."""
    source = tmp_path / "source.raw"
    source.write_bytes(bytes(range(1, 101)) * (_DOWNLOAD // 100))
    ecl("image", "create", name, "--file", str(source))
    target = tmp_path / "out.raw"
    link.add(Fault(times=2, cut_at=_SOME, stall=True))

    shown = interrupted("image", "save", name, "--file", str(target), *more, after=r"[1-9]\d? ?%")

    assert f"Interrupted: {target} was not written; the same command goes on from {target}.part" in shown
    assert Path(f"{target}.part").exists()
    assert not target.exists()
    ecl("image", "save", name, "--file", str(target))
    assert target.read_bytes() == source.read_bytes()


def test_download_without_an_answer(interrupted: Interrupted, link: FaultyProxy, image: str, tmp_path: Path) -> None:
    """Nothing has come, and nothing is left."""
    target = tmp_path / "out.raw"
    link.add(Fault(unanswered=True))

    shown = interrupted("image", "save", image, "--file", str(target))

    assert f"Interrupted: {target} was not written, and nothing was left behind." in shown
    assert list(tmp_path.glob("out*")) == []


@SILENCE
def test_create(
    interrupted: Interrupted, link: FaultyProxy, ecl: Command, name: str, large: Path, fault: Fault
) -> None:
    """An image whose data the cloud does not take is deleted again."""
    link.add(fault)

    shown = interrupted("image", "create", name, "--file", str(large))

    assert "Interrupted: no image was left behind" in shown
    assert ecl("image", "list", "--name", name, "-f", "json").json == []


@SILENCE
def test_sync_of_several(
    interrupted: Interrupted, link: FaultyProxy, ecl: Command, name: str, large: Path, tmp_path: Path, fault: Fault
) -> None:
    """The image whose data the cloud does not take is undone, and those after it are not begun."""
    manifest = tmp_path / "m.yaml"
    entries = [f"{{name: {name}-{number}, source: {large.name}}}" for number in (1, 2)]
    manifest.write_text(f"images: [{', '.join(entries)}]")
    link.add(fault)

    shown = interrupted("image", "sync", str(manifest), "--apply")

    assert f"create {name}-1 in here was undone. Finished steps stay" in shown
    for number in (1, 2):
        assert ecl("image", "list", "--name", f"{name}-{number}", "-f", "json").json == []
        assert ecl("image", "list", "--name", f"{name}-{number}", "--hidden", "-f", "json").json == []


@pytest.mark.parametrize("command", ["create", "sync"])
def test_what_cannot_be_undone(
    interrupted: Interrupted, link: FaultyProxy, ecl: Command, name: str, large: Path, tmp_path: Path, command: str
) -> None:
    """An image that the cloud does not let go is named."""
    manifest = tmp_path / "m.yaml"
    manifest.write_text(f"images: [{{name: {name}, source: {large.name}}}]")
    words = {"create": [name, "--file", str(large)], "sync": [str(manifest), "--apply"]}[command]
    link.add(Fault(method="PUT", unanswered=True), Fault(method="DELETE", path="", answer=403))

    shown = interrupted("image", command, *words)

    (left,) = [
        image["id"]
        for hidden in ((), ("--hidden",))
        for image in ecl("image", "list", "--name", name, "-f", "json", *hidden).json
    ]
    assert f"Interrupted: Image {left} could not be deleted again" in shown


def test_create_in_silence(interrupted: Interrupted, link: FaultyProxy, name: str, large: Path) -> None:
    """A cloud that does not even answer to the deletion gets a moment for that; then the image is named."""
    link.add(Fault(method="PUT", unanswered=True), Fault(method="DELETE", path="", unanswered=True))

    shown = interrupted("image", "create", name, "--file", str(large))

    assert re.search(r"Interrupted: Image \S+ could not be deleted again", shown)


def test_copy_that_is_waited_for(
    interrupted: Interrupted,
    link: FaultyProxy,
    ecl: Command,
    name: str,
    image: str,
    project_of: Callable[[str], str],
) -> None:
    """The copy goes on without the command, which says how to see it and how to end it."""
    # The command finds the image by its name; what it reads then is the job.
    link.add(Fault(path="/images"), Fault(path="", unanswered=True))

    shown = interrupted("image", "copy", name, project_of("there"), "--wait")

    jobs = ecl("image", "copy-job-list", "-f", "json").json
    (job,) = (job["job_id"] for job in jobs if job["source_image_id"] == image)
    advice = f"see `ecl image copy-job show {job}`, or end it by `copy-job cancel`."
    assert f"Interrupted: the copy goes on; {advice}" in shown


def test_import_that_is_waited_for(
    interrupted: Interrupted, link: FaultyProxy, ecl: Command, name: str, disk: Path
) -> None:
    """The import goes on without the command, which says where to look."""
    image = ecl(
        "image", "create", name, "--disk-format", "raw", "--container-format", "bare", "-f", "value", "-c", "id"
    ).out.strip()  # fmt: skip
    ecl("image", "stage", name, "--file", str(disk))
    # The command finds the image by its name; what asks for this path is the wait.
    link.add(Fault(path=f"/images/{image}", unanswered=True))

    shown = interrupted("image", "import", name, "--wait")

    assert f"Interrupted: the import goes on; see `ecl image show {image}`." in shown
    assert ecl("image", "import", name, code=1).err
