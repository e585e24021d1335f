"""What a command loads, and what a shell completes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.commands import ECL, Command

#: Libraries that a list of images has no use for.
HEAVY = {
    "alembic", "cryptography", "ecl.image.transfer", "ecl.server", "ecl.testing", "httptools", "keystoneauth1.identity",
    "oslo_utils", "rich", "sqlalchemy", "starlette", "uvicorn",
}  # fmt: skip
_SHOW = (
    "import atexit, sys; atexit.register(lambda: print(*sys.modules, sep='\\n', file=sys.stderr));"
    "from ecl.cli.main import main; sys.argv = ['ecl', *sys.argv[1:]]; main()"
)


def modules(*words: str) -> set[str]:
    ended = subprocess.run(
        [sys.executable, "-c", _SHOW, *words], capture_output=True, text=True, check=False, env=os.environ
    )
    return set(ended.stderr.split())


def test_help_loads_click_alone() -> None:
    """`ecl --help` and `ecl image --help` load neither the SDK nor any command."""
    for words in (("--help",), ("image", "--help")):
        loaded = modules(*words)
        assert "click" in loaded
        assert not loaded & (HEAVY | {"requests", "keystoneauth1", "yaml", "ecl.connection", "ecl.cli.image.create"})


def test_list_loads_only_what_it_needs(ecl: Command) -> None:
    """With a token at hand, a list of images loads no log-in, no hashes, no progress bars."""
    ecl("image", "list")

    assert not modules("image", "list") & HEAVY


def test_version(ecl: Command) -> None:
    """--version names the program and its version."""
    from ecl import __version__

    assert ecl("--version").out == f"ecl {__version__}\n"


@pytest.mark.parametrize(("shell", "sign"), [("bash", "complete -o"), ("zsh", "#compdef ecl"), ("fish", "complete ")])
def test_completion_script(ecl: Command, shell: str, sign: str) -> None:
    """Each shell gets a script of its own language."""
    script = ecl("completion", shell).out

    assert sign in script
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def completed(line: str) -> list[str]:
    """What bash offers behind *line*."""
    words = {"_ECL_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    ended = subprocess.run([ECL], capture_output=True, text=True, check=True, env={**os.environ, **words})
    return [each.partition(",")[2] for each in ended.stdout.splitlines() if each]


def test_commands_and_options_are_completed() -> None:
    """Subcommands by their beginning, options behind dashes."""
    assert completed("ecl im") == ["image"]
    assert completed("ecl image sh") == ["show", "share"]
    assert completed("ecl image list --pu") == ["--public"]
    assert "--os-cloud" in completed("ecl --os-c")


BASH = """
COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
source <("$1" completion bash)
COMP_WORDS=("${@:2}"); COMP_CWORD=$(( $# - 2 )); COMPREPLY=()
_ecl_completion "$1" 2>&1
printf '%s\\n' "${COMPREPLY[@]}"
"""


def in_bash(*words: str) -> list[str]:
    """What bash, with the script loaded, offers for the last of *words*; its errors, too."""
    # compopt works only while bash completes by itself.
    ended = subprocess.run(
        ["bash", "--norc", "-c", f"compopt() {{ :; }}; {BASH}", "bash", ECL, *words],
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in (ended.stderr + ended.stdout).splitlines() if line]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("ecl --os-cloud g", ["guest"]),
        ("ecl --os-cloud = g", ["guest"]),
        ("ecl image list --os-cloud g", ["guest"]),
        ("ecl image list --os-cloud = g", ["guest"]),
        ("ecl --os-cloud guest im", ["image"]),
        ("ecl --os-cloud = guest image sha", ["share"]),
        ("ecl --os-region-name jp", []),
        ("ecl image member se", ["set"]),
        ("ecl image metadef na", ["namespace"]),
        ("ecl image list -f j", ["json"]),
        ("ecl image list --format = j", ["json"]),
        ("ecl image list -c os_hash_a", ["os_hash_algo"]),
        ("ecl image list --sort-column virt", ["virtual_size"]),
        ("ecl image copy-job list -c source_image_i", ["source_image_id"]),
        ("ecl image upload x -c os_hash_a", ["os_hash_algo"]),
        ("ecl image list --sort name,crea", ["name,created_at"]),
        ("ecl image list --disk-format q", ["qcow2"]),
        ("ecl image create x --disk-format q", ["qcow2"]),
        ("ecl image update x --container-format b", ["bare"]),
        ("ecl image transfer x th", ["there"]),
        ("ecl image share x --accept-as g", ["guest"]),
        ("ecl image sync m.yaml --cloud g", ["guest"]),
        ("ecl image import x --method web", ["web-download"]),
        ("ecl completion f", ["fish"]),
    ],
)
def test_values_are_completed_in_bash(line: str, offered: list[str]) -> None:
    """Clouds, formats, columns and sort keys, in any position and with =; never an error in the line."""
    assert in_bash(*line.split(" ")) == offered


def test_copy_jobs_are_completed_in_bash(ecl: Command, image: str) -> None:
    """The ID of a job is offered where a job is wanted."""
    tenant = ecl("--os-cloud", "there", "token", "issue", "-f", "json").json["project_id"]
    job = ecl("image", "copy", image, tenant, "-f", "value", "-c", "job_id").out.strip()

    assert in_bash("ecl", "image", "copy-job", "show", job[:12]) == [job]


def test_completion_with_a_broken_clouds_yaml_is_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is offered, and nothing is written."""
    (tmp_path / "clouds.yaml").write_text("clouds: [")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))

    assert in_bash("ecl", "--os-cloud", "g") == []


def test_names_and_ids_are_completed(ecl: Command, image: str, name: str) -> None:
    """Images of the cloud, by name and by ID; a minute long the cloud is not asked again."""
    other = f"{name}-later"
    assert completed(f"ecl image show {name}") == [name]
    assert completed(f"ecl image show {image[:13]}") == [image]
    ecl("image", "create", other)
    assert completed(f"ecl image delete x {name}") == [name]
    assert completed(f"ecl image show --os-cloud there {name}") == []


def test_names_are_kept_for_a_minute(ecl: Command, image: str, name: str, cache: Path) -> None:
    """Names that are older than a minute are asked for again."""
    completed(f"ecl image show {name}")
    for path in (cache / "ecl-image" / "names").iterdir():
        then = time.time() - 61
        os.utime(path, (then, then))
    other = f"{name}-later"
    ecl("image", "create", other)

    assert completed(f"ecl image show {name}") == [name, other]


def test_completion_without_a_cloud_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no cloud can be asked, nothing is offered, and nothing is written."""
    monkeypatch.setenv("OS_CLOUD", "nowhere")

    assert completed("ecl image show x") == []
