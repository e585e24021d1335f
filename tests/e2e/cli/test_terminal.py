"""On a terminal: bars, questions, Ctrl-C; and progress for programs."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from support.commands import Command, Terminal

Start = Callable[..., Terminal]
#: Slow enough to be seen, quick enough to wait for.
SLOW = ("--max-bandwidth", "4M")


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A disk that takes two seconds at the rate of SLOW."""
    path = tmp_path / "large.raw"
    path.write_bytes(os.urandom(8 << 20))
    return path


@pytest.mark.parametrize("columns", [60, 100])
def test_bar_of_an_upload_and_a_download(
    terminal: Start, ecl: Command, name: str, large: Path, tmp_path: Path, columns: int
) -> None:
    """Both show percent, MiB, MiB/s and the time left, end at 100 %, and fit the terminal on one line."""
    up = terminal("image", "create", name, "--file", str(large), *SLOW, columns=columns)
    up.wait_for(r"upload im.*[1-9]\d? ?%.*/8\.0 MiB.*MiB/s.*0:0")
    assert up.end() == 0
    down = terminal("image", "download", name, "--file", str(tmp_path / "out"), *SLOW, columns=columns)
    down.wait_for(r"download im.*%.*MiB.*MiB/s")
    assert down.end() == 0

    assert (tmp_path / "out").read_bytes() == large.read_bytes()
    assert re.search(r"100 ?%", up.plain)
    bars = [line for line in re.split(r"[\r\n]+", up.plain + down.plain) if "load im" in line]
    assert [line for line in bars if len(line) > columns or not re.search(r"/s |\? ", line)] == []


def test_ctrl_c_leaves_no_half_made_image(terminal: Start, ecl: Command, name: str, large: Path) -> None:
    """Interrupted while it sends, create ends with 130, says what it undid, and there is no image."""
    up = terminal("image", "create", name, "--file", str(large), *SLOW)
    up.wait_for(r"[1-9]\d? ?%")
    up.type("\x03")

    assert up.end() == 130
    assert "Interrupted: no image was left behind" in up.plain
    assert "Traceback" not in up.plain
    assert ecl("image", "list", "--name", name, "-f", "json").json == []


def test_end_of_the_session_leaves_no_half_made_image(terminal: Start, ecl: Command, name: str, large: Path) -> None:
    """SIGTERM undoes what Ctrl-C does."""
    up = terminal("image", "create", name, "--file", str(large), *SLOW)
    up.wait_for(r"[1-9]\d? ?%")
    up.terminate()

    assert up.end() == 130
    assert ecl("image", "list", "--name", name, "-f", "json").json == []


def test_ctrl_c_in_a_sync_undoes_the_step(
    terminal: Start, ecl: Command, name: str, large: Path, tmp_path: Path
) -> None:
    """The image that was on its way is not there; what was done before stays."""
    (tmp_path / "small.raw").write_bytes(bytes(1000))
    large.rename(tmp_path / "big.raw")
    manifest = tmp_path / "m.yaml"
    entries = [f"{{name: {name}-{size}, source: {size}.raw}}" for size in ("small", "big")]
    manifest.write_text(f"images: [{', '.join(entries)}]")

    made = terminal("image", "sync", str(manifest), "--apply", *SLOW)
    made.wait_for(rf"{name}-big .*[1-9]\d? ?%")
    made.type("\x03")

    assert made.end() == 130
    assert "was undone. Finished steps stay" in " ".join(made.plain.split())
    for hidden in ((), ("--hidden",)):
        assert ecl("image", "list", "--name", f"{name}-big", "-f", "json", *hidden).json == []
    assert ecl("image", "show", f"{name}-small", "-f", "json").json["status"] == "active"


def test_ctrl_c_in_an_upload_gives_the_image_back(terminal: Start, ecl: Command, name: str, large: Path) -> None:
    """An image that was there before is queued again, and takes the same file."""
    ecl("image", "create", name, "--disk-format", "raw", "--container-format", "bare")
    up = terminal("image", "upload", name, "--file", str(large), *SLOW)
    up.wait_for(r"[1-9]\d? ?%")
    up.type("\x03")

    assert up.end() == 130
    assert "is queued again" in up.plain
    assert ecl("image", "upload", name, "--file", str(large), "-f", "json").json["status"] == "active"


def test_ctrl_c_in_a_download_leaves_no_broken_file(
    terminal: Start, ecl: Command, name: str, large: Path, tmp_path: Path
) -> None:
    """There is no file of that name; the next call brings the whole one."""
    ecl("image", "create", name, "--file", str(large))
    target = tmp_path / "out.raw"
    down = terminal("image", "download", name, "--file", str(target), *SLOW)
    down.wait_for(r"[1-9]\d? ?%")
    down.type("\x03")

    assert down.end() == 130
    assert f"Interrupted: {target} was not written" in " ".join(down.plain.split())
    assert not target.exists()
    ecl("image", "download", name, "--file", str(target))
    assert target.read_bytes() == large.read_bytes()
    assert sorted(path.name for path in tmp_path.glob("out*")) == ["out.raw"]


def test_ctrl_c_in_a_transfer_leaves_nothing_there(terminal: Start, ecl: Command, name: str, large: Path) -> None:
    """The half-made image of the other cloud goes."""
    ecl("image", "create", name, "--file", str(large))
    sent = terminal("image", "transfer", name, "there", *SLOW)
    sent.wait_for(r"transfer image-\w+ .*[1-9]\d? ?%")
    sent.type("\x03")

    assert sent.end() == 130
    assert "deleted again" in sent.plain
    assert ecl("--os-cloud", "there", "image", "list", "--name", name, "-f", "json").json == []


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, 0), ("n\n", 1, 2), ("\n", 1, 2), ("\x03", 130, 2)])
def test_delete_of_several_asks(terminal: Start, ecl: Command, name: str, answer: str, code: int, left: int) -> None:
    """Only a yes deletes; no, nothing and Ctrl-C do not."""
    ids = [ecl("image", "create", name, "-f", "value", "-c", "id").out.strip() for _ in range(2)]

    asked = terminal("image", "delete", *ids, columns=200)
    asked.wait_for(r"Delete 2 images .*\[y/N\]")
    asked.type(answer)

    assert asked.end(again=answer if answer == "\x03" else "") == code
    assert len(ecl("image", "list", "--name", name, "-f", "json").json) == left


def test_password_is_asked_for_and_not_shown(terminal: Start, clouds_yaml: Path, tmp_path: Path) -> None:
    """Where no password is configured, a terminal is asked, without echo."""
    text = clouds_yaml.read_text()
    here = re.search(r"  here:.*?password: (\S+)\n", text, re.DOTALL)
    assert here
    path = tmp_path / "clouds.yaml"
    path.write_text(re.sub(r"\n\s+password: \S+", "", text))

    asked = terminal("token", "issue", OS_CLIENT_CONFIG_FILE=str(path))
    asked.wait_for("Password for here: ")
    asked.type(here.group(1) + "\n")

    assert asked.end() == 0
    assert here.group(1) not in asked.text
    assert "project_id" in asked.plain


def test_image_data_does_not_go_to_a_terminal(terminal: Start, image: str) -> None:
    """A download without --file is refused where it would ruin the terminal."""
    shown = terminal("image", "download", image, columns=200)

    assert shown.end() == 2
    assert "name a file by --file" in shown.plain


def test_progress_for_programs(ecl: Command, name: str, disk: Path, tmp_path: Path) -> None:
    """One JSON object a line on stderr, the last one with all bytes; stdout stays data."""
    up = ecl("image", "create", name, "--file", str(disk), "--progress", "json", "-f", "json")
    down = ecl("image", "download", name, "--file", str(tmp_path / "out"), "--progress", "json")

    for ended, action in ((up, "upload"), (down, "download")):
        lines = [json.loads(line) for line in ended.err.splitlines() if line.startswith("{")]
        assert lines[-1] | {"seconds": 0} == {
            "action": action, "image": name, "unit": "bytes", "done": 100_000, "total": 100_000, "seconds": 0,
        }  # fmt: skip
    assert up.json["status"] == "active"


def test_no_bar_in_a_pipe(ecl: Command, name: str, disk: Path) -> None:
    """Where stderr is no terminal, nothing is drawn."""
    assert ecl("image", "create", name, "--file", str(disk)).err == ""


def test_no_bar_where_none_is_wanted(terminal: Start, name: str, disk: Path) -> None:
    """--progress none draws nothing on a terminal, either."""
    up = terminal("image", "create", name, "--file", str(disk), "--progress", "none", "-c", "status")

    assert up.end() == 0
    assert "%" not in up.plain
