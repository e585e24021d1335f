"""What bash, zsh and fish complete: real shells on a terminal, with the script of `ecl completion` loaded."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.commands import ECL, Command
from support.shells import SETUPS, Shell


@pytest.fixture(scope="module", params=list(SETUPS))
def shell(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, clouds_yaml: Path, cache: Path
) -> Iterator[Shell]:
    """A shell in a folder with the file "my disk.raw"."""
    program = shutil.which(request.param)
    if program is None:
        pytest.skip(f"{request.param} is not installed")
    home = tmp_path_factory.mktemp(request.param)
    (home / "my disk.raw").touch()
    environ = {"OS_CLIENT_CONFIG_FILE": str(clouds_yaml), "OS_CLOUD": "here", "XDG_CACHE_HOME": str(cache)}
    started = Shell(request.param, program, home, {**os.environ, **environ})
    yield started
    started.terminal.close()


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("ecl im", "ecl image "),
        ("ecl image sha", "ecl image share "),
        ("ecl image member se", "ecl image member set "),
        ("ecl image metadef na", "ecl image metadef namespace "),
        ("ecl image add ", "ecl image add project "),
        ("ecl image import in", "ecl image import info "),
        ("ecl image list --pub", "ecl image list --public "),
        ("ecl-image image lis", "ecl-image image list "),
        ("ecl --os-cloud g", "ecl --os-cloud guest "),
        ("ecl --os-cloud=g", "ecl --os-cloud=guest "),
        ("ecl image list --os-cloud=g", "ecl image list --os-cloud=guest "),
        ("ecl --os-cloud=guest im", "ecl --os-cloud=guest image "),
        ('ecl --os-cloud "gu', 'ecl --os-cloud "guest" '),
        ("ecl image transfer x th", "ecl image transfer x there "),
        ("ecl image share x --accept-as g", "ecl image share x --accept-as guest "),
        ("ecl image list -f j", "ecl image list -f json "),
        ("ecl image list --format=j", "ecl image list --format=json "),
        ("ecl image list --disk-format q", "ecl image list --disk-format qcow2 "),
        ("ecl image create x --container-format=b", "ecl image create x --container-format=bare "),
        ("ecl image create x --progress j", "ecl image create x --progress json "),
        ("ecl image list -c os_hash_a", "ecl image list -c os_hash_algo "),
        ("ecl image copy-job list -c source_image_i", "ecl image copy-job list -c source_image_id "),
        ("ecl image list --sort name,crea", "ecl image list --sort name,created_at "),
        ("ecl image create x --file my", "ecl image create x --file my\\ disk.raw "),
        ("ecl image create x --file=my", "ecl image create x --file=my\\ disk.raw "),
        ("ecl image sync my", "ecl image sync my\\ disk.raw "),
        ("ecl --os-cacert my", "ecl --os-cacert my\\ disk.raw "),
        ("ecl completion f", "ecl completion fish "),
        ("ecl --os-region-name jp", "ecl --os-region-name jp"),
        ("ecl image wrong ", "ecl image wrong "),
    ],
)
def test_words_and_values_are_completed(shell: Shell, typed: str, completed: str) -> None:
    """Nouns, verbs, options and values in any position, with a blank or with =; an unknown word stays as it is."""
    assert shell.completed(typed) == completed


def test_all_that_fits_is_offered(shell: Shell) -> None:
    """Where several verbs fit, each is shown with its line of help; bash has no place for help."""
    words = ["show", "share"] if shell.name == "bash" else ["Show an image", "Share an image and accept"]

    assert "rror" not in shell.offered("ecl image sh", *words)


def test_images_are_completed_by_names_and_ids(shell: Shell, ecl: Command, image: str, name: str, cache: Path) -> None:
    """A blank in a name is quoted as the shell needs it, and a colon divides no word."""
    for suffix in ("of blanks", "tag:1"):
        ecl("image", "create", f"{name}x {suffix}" if " " in suffix else f"{name}y:{suffix}")
    shutil.rmtree(cache / "ecl-image" / "names", ignore_errors=True)

    assert shell.completed(f"ecl image show {image[:13]}") == f"ecl image show {image} "
    assert shell.completed(f"ecl image show {name}x") == f"ecl image show {name}x\\ of\\ blanks "
    assert shell.completed(f"ecl image show '{name}x o") == f"ecl image show '{name}x of blanks' "
    assert shell.completed(f"ecl image show {name}y:t") in (
        f"ecl image show {name}y:tag:1 ", f"ecl image show {name}y\\:tag\\:1 ",
    )  # fmt: skip


def test_copy_jobs_are_completed(shell: Shell, ecl: Command, image: str) -> None:
    """The ID of a job is completed where a job is wanted."""
    tenant = ecl("--os-cloud", "there", "token", "issue", "-f", "json").json["project_id"]
    job = ecl("image", "copy", image, tenant, "-f", "value", "-c", "job_id").out.strip()

    assert shell.completed(f"ecl image copy-job show {job[:12]}") == f"ecl image copy-job show {job} "


@pytest.mark.parametrize("name", list(SETUPS))
def test_installed_script_completes_each_time(ecl: Command, name: str, tmp_path: Path) -> None:
    """Installed as the documentation says, the script is loaded at the first completion, and works from then on."""
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not installed")
    if name == "bash" and not Path("/usr/share/bash-completion/bash_completion").exists():
        pytest.skip("bash-completion is not installed")
    shell = Shell(name, program, tmp_path, os.environ, script=ecl("completion", name).out)
    try:
        found = [shell.completed(line) for line in ("ecl im", "ecl image lis", "ecl completion z")]
    finally:
        shell.terminal.close()

    assert found == ["ecl image ", "ecl image list ", "ecl completion zsh "]


@pytest.mark.parametrize(("shell_name", "check"), [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")])
def test_scripts_are_of_the_shells_language(ecl: Command, shell_name: str, check: str, tmp_path: Path) -> None:
    """Each shell finds no mistake in the script that is printed for it."""
    program = shutil.which(shell_name)
    if program is None:
        pytest.skip(f"{shell_name} is not installed")
    (tmp_path / "script").write_text(ecl("completion", shell_name).out)

    subprocess.run([program, check, tmp_path / "script"], check=True)


def completed(line: str) -> list[str]:
    """What the command answers to a shell that completes *line*."""
    words = {"_ECL_COMPLETE": "bash_complete", "COMP_WORDS": line}
    ended = subprocess.run([ECL], capture_output=True, text=True, check=True, env={**os.environ, **words})
    assert ended.stderr == ""
    return [each.partition(",")[2] for each in ended.stdout.splitlines() if each]


def test_names_are_kept_for_a_minute(ecl: Command, image: str, name: str, cache: Path) -> None:
    """For a minute the cloud is not asked again; names that are older are."""
    shutil.rmtree(cache / "ecl-image" / "names", ignore_errors=True)
    assert completed(f"ecl image show {name}") == [name]
    other = f"{name}-later"
    ecl("image", "create", other)
    assert completed(f"ecl image delete x {name}") == [name]
    assert completed(f"ecl image show --os-cloud there {name}") == []
    for path in (cache / "ecl-image" / "names").iterdir():
        then = time.time() - 61
        os.utime(path, (then, then))

    assert completed(f"ecl image show {name}") == [name, other]


def test_completion_without_a_cloud_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no cloud can be asked, nothing is offered, and nothing is written."""
    monkeypatch.setenv("OS_CLOUD", "nowhere")

    assert completed("ecl image show x") == []


def test_completion_with_a_broken_clouds_yaml_is_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is offered, and nothing is written."""
    (tmp_path / "clouds.yaml").write_text("clouds: [")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))

    assert completed("ecl --os-cloud g") == []
