"""Standard streams that are closed, and readers that go away: one clear end, never a hang or a traceback."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ecl.testing import ImageService
from support.commands import ECL, LIMIT, Command, Terminal
from support.faulty_proxy import FaultyProxy

#: More than buffers take, at a rate at which it lasts much longer than the test.
_SIZE = 64 << 20
_RATE = 4e6
#: Each transfer: its words, and the status that its image has after it was broken off; None: there is none.
TRANSFERS: dict[str, tuple[list[str], str | None]] = {
    "create": (["create", "NAME", "--file", "FILE"], None),
    "create-import": (["create", "NAME", "--file", "FILE", "--import"], None),
    "publish": (["publish", "NAME", "--file", "FILE"], None),
    "upload": (["upload", "QUEUED", "--file", "FILE"], "queued"),
    "stage": (["stage", "QUEUED", "--file", "FILE"], "queued"),
    "download": (["download", "LARGE", "--file", "OUT"], None),
    "transfer": (["transfer", "LARGE", "there", "--name", "NAME"], None),
}
CLOSED = pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"], ids=["in", "out", "err", "all"])


@pytest.fixture
def link(service: ImageService) -> Iterator[FaultyProxy]:
    """A slow network between the command and the service."""
    with FaultyProxy(service.url, rate=_RATE) as proxy:
        yield proxy


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A large disk."""
    path = tmp_path / "large.raw"
    with path.open("wb") as file:
        file.write(os.urandom(1000))
        file.truncate(_SIZE)
    return path


@pytest.fixture(scope="module")
def large_image(service: ImageService) -> Iterator[str]:
    """The ID of a large public image."""
    admin = service.connect(user="admin").image
    image = admin.create_image(name="large", data=bytes(_SIZE), visibility="public", disk_format="raw")
    yield image.id or ""
    admin.delete_image(image)


@pytest.fixture
def words(link: FaultyProxy, ecl: Command, name: str, large: Path, large_image: str, tmp_path: Path) -> Any:
    """Return the words of one of TRANSFERS, over the slow network; make the queued image that it takes."""

    def of(work: str) -> list[str]:
        parts = TRANSFERS[work][0]
        if "QUEUED" in parts:
            ecl("image", "create", name, "--disk-format", "raw", "--container-format", "bare")
        values = {
            "NAME": name, "QUEUED": name, "FILE": str(large), "LARGE": large_image, "OUT": str(tmp_path / "out"),
        }  # fmt: skip
        chosen = [values.get(each, each) for each in parts]
        return ["--os-image-endpoint-override", f"{link.url}/image/jp1", "image", *chosen]

    return of


@pytest.fixture
def check_left(link: FaultyProxy, ecl: Command, name: str, tmp_path: Path) -> Callable[[str], None]:
    """Check that one of TRANSFERS, broken off, left nothing half-made."""

    def statuses() -> list[str]:
        found = []
        for words in (("--os-cloud", "here"), ("--os-cloud", "there")):
            for more in ((), ("--hidden",)):
                found += ecl(*words, "image", "list", "--name", name, "-f", "json", *more).json
        return [each["status"] for each in found]

    def check(work: str) -> None:
        status = TRANSFERS[work][1]
        # The service may need a moment to see that the connection has ended.
        link.until(lambda: statuses() == ([status] if status else []))
        assert not (tmp_path / "out").exists()

    return check


@pytest.mark.parametrize("work", TRANSFERS)
def test_reader_of_the_progress_goes(words: Any, check_left: Callable[[str], None], work: str) -> None:
    """`ecl … --progress json 2>&1 | head -2` ends by itself with 1, and leaves nothing half-made."""
    command = [ECL, *words(work), "--progress", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        lines = [json.loads(process.stderr.readline()) for _ in range(2)]
        process.stderr.close()
        try:
            assert process.wait(LIMIT) == 1
        finally:
            process.kill()
        assert process.stdout.read() == b""

    assert lines[0]["total"] in (_SIZE, None)
    check_left(work)


@pytest.mark.parametrize("work", TRANSFERS)
def test_terminal_goes(
    words: Any, check_left: Callable[[str], None], terminal: Callable[..., Terminal], work: str
) -> None:
    """A transfer with a bar whose terminal is closed is interrupted: 130, and nothing half-made is left."""
    shown = terminal(*words(work))
    shown.wait_for(r"[\d.]+/[\d.?]+ .*B")

    assert shown.hang_up() == 130

    check_left(work)


def test_terminal_goes_and_the_command_stays(ecl: Command, name: str, disk: Path) -> None:
    """A command that no SIGHUP reaches, as after nohup, goes on without its bar."""
    master, slave = pty.openpty()
    slow = ["--max-bandwidth", "50k"]
    command = [ECL, "image", "create", name, "--file", disk, *slow, "-f", "value", "-c", "status"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=slave, start_new_session=True) as process:
        os.close(slave)
        shown = b""
        while b"upload" not in shown:
            shown += os.read(master, 1 << 16)
        os.close(master)
        try:
            out, _ = process.communicate(timeout=LIMIT)
        finally:
            process.kill()

    assert (process.returncode, out) == (0, b"active\n")


def run(*words: str, redirect: str) -> subprocess.CompletedProcess[str]:
    """Run the command with some of its streams closed; no traceback and no word of Python comes out."""
    ended = subprocess.run(
        ["/bin/sh", "-c", f'"$@" {redirect}', "sh", str(ECL), *words],
        capture_output=True, text=True, timeout=LIMIT, check=False,
    )  # fmt: skip
    assert not re.search("Traceback|NoneType|Exception ignored|Errno", ended.stdout + ended.stderr)
    return ended


@CLOSED
def test_closed_streams(ecl: Command, image: str, name: str, disk: Path, tmp_path: Path, closed: str) -> None:
    """Commands that need none of the closed streams work as ever."""
    listed = run("image", "list", "--name", name, "-f", "value", "-c", "id", redirect=closed)
    helped = run("--help", redirect=closed)
    made = run("image", "create", f"{name}-2", "--file", str(disk), redirect=closed)
    saved = run("image", "download", image, "--file", str(tmp_path / "out"), redirect=closed)

    assert [each.returncode for each in (listed, helped, made, saved)] == [0, 0, 0, 0]
    assert listed.stdout == ("" if ">&-" in closed.split() else f"{image}\n")
    assert ecl("image", "show", f"{name}-2", "-f", "json").json["status"] == "active"
    assert (tmp_path / "out").read_bytes() == disk.read_bytes()


@CLOSED
def test_closed_streams_of_a_command_that_fails(closed: str) -> None:
    """The exit codes are the usual ones, and so are the sentences where they can be read."""
    missing = run("image", "show", "there-is-no-such-image", redirect=closed)
    wrong = run("image", "lsit", redirect=closed)

    assert (missing.returncode, wrong.returncode) == (1, 2)
    if "2>&-" not in closed:
        assert missing.stderr.startswith("Error: ")
        assert "did you mean 'list'" in wrong.stderr


@pytest.mark.parametrize("work", ["create", "create-import", "publish"])
def test_closed_stdin_is_no_empty_image(ecl: Command, name: str, work: str) -> None:
    """`--file - <&-` is refused in one sentence, and no image is made."""
    words = [{"NAME": name, "FILE": "-"}.get(each, each) for each in TRANSFERS[work][0]]

    ended = run("image", *words, redirect="<&-")

    assert ended.returncode == 2
    assert "Error: --file - reads standard input, which is closed: pipe the image into it." in ended.stderr
    assert ecl("image", "list", "--name", name, "-f", "json").json == []


def test_closed_stdout_takes_no_data(image: str) -> None:
    """A download to a closed standard output is refused: the data would be lost."""
    ended = run("image", "download", image, redirect=">&-")

    assert ended.returncode == 2
    assert "Standard output is closed: name a file by --file." in ended.stderr


def test_message_to_a_reader_that_has_gone(ecl: Command, image: str, name: str) -> None:
    """A broken stderr costs a command its sentence, not its exit code."""
    read, write = os.pipe()
    os.close(read)
    ended = [
        subprocess.run([ECL, "image", *words], stdout=subprocess.PIPE, stderr=write, timeout=LIMIT, check=False)
        for words in (["show", "there-is-no-such-image"], ["lsit"], ["delete", image])
    ]
    os.close(write)

    assert [each.returncode for each in ended] == [1, 2, 0]
    assert ecl("image", "list", "--name", name, "-f", "json").json == []
