"""The action for GitHub, the workflow and the compose file: of the published form, and what they run works."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.commands import ECL

ROOT = Path(__file__).parents[2]
CHECK = ROOT / ".venvs" / "packages" / "bin" / "check-jsonschema"
ACTION = ROOT / "packaging" / "setup-ecl-image" / "action.yml"
WORKFLOW = ROOT / "examples" / "github-actions.yml"
COMPOSE = ROOT / "examples" / "compose.yaml"


@pytest.mark.parametrize(
    ("path", "schema"),
    [(ACTION, "github-actions"), (WORKFLOW, "github-workflows"), (COMPOSE, "compose-spec")],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_form_is_the_published_one(path: Path, schema: str) -> None:
    """Each file fits the JSON schema of its format."""
    if not CHECK.exists():
        pytest.skip("no .venvs/packages (scripts/test-inputs)")
    ended = subprocess.run(
        [CHECK, "--builtin-schema", f"vendor.{schema}", path], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr


def step(name: str) -> dict[str, Any]:
    """Return the step *name* of the action."""
    (found,) = [each for each in yaml.safe_load(ACTION.read_text())["runs"]["steps"] if each["name"] == name]
    return dict(found)


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Path]:
    """The folder of a runner; a service that was started in it is ended."""
    (tmp_path / "temp folder").mkdir()
    yield tmp_path / "temp folder"
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        os.kill(int((tmp_path / "temp folder" / "ecl-image" / "pid").read_text()), signal.SIGTERM)


def run(script: str, runner: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a step as GitHub's runners do."""
    files = {name: str(runner / name) for name in ("GITHUB_ENV", "GITHUB_OUTPUT")}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script], cwd=runner, capture_output=True,
        text=True, check=False, env={**os.environ, "PATH": f"{ECL.parent}:{os.environ['PATH']}", **files, **environ},
    )  # fmt: skip


def values(step: dict[str, Any], runner: Path, **inputs: str) -> dict[str, str]:
    """Return the variables of a step, its expressions replaced by what a runner would put there."""
    known = {f"inputs.{name}": value for name, value in inputs.items()} | {"runner.temp": str(runner)}
    return {
        name: re.sub(r"\$\{\{ (.*?) \}\}", lambda found: known[found.group(1)], text)
        for name, text in step["env"].items()
    }


def test_action_starts_a_service_for_the_next_steps(runner: Path) -> None:
    """The step ends when the service is ready; the workflow's own step then runs with the variables that it left."""
    serve = step("Start the service")
    started = run(serve["run"], runner, **values(serve, runner, regions="jp1,jp2"))
    assert started.returncode == 0, started.stdout + started.stderr
    left = dict(line.split("=", 1) for line in (runner / "GITHUB_ENV").read_text().splitlines())
    (outputs,) = (runner / "GITHUB_OUTPUT").read_text().splitlines()
    use = yaml.safe_load(WORKFLOW.read_text())["jobs"]["test"]["steps"][-1]
    used = run(use["run"], runner, **left)

    assert outputs == f"clouds-yaml={left['OS_CLIENT_CONFIG_FILE']}"
    assert used.returncode == 0, used.stderr
    assert used.stdout.endswith("[]\n")


def test_action_fails_with_the_services_own_words(runner: Path) -> None:
    """A service that cannot start fails the step, at once, with its error in the log."""
    serve = step("Start the service")
    started = run(serve["run"], runner, **values(serve, runner, regions="jp/1"))

    assert started.returncode != 0
    assert "Error: " in started.stdout
    assert not (runner / "GITHUB_ENV").exists()


@pytest.mark.parametrize(("version", "wanted"), [("", "ecl-image[server]"), ("0.1.0", "ecl-image[server]==0.1.0")])
def test_action_installs_the_wanted_version(runner: Path, version: str, wanted: str) -> None:
    """pip is asked for the newest version, or for the one that the workflow names."""
    install = step("Install")
    shown = run(f'python() {{ echo "$@"; }}\n{install["run"]}', runner, **values(install, runner, version=version))

    assert shown.stdout == f"-m pip install {wanted}\n"


def test_compose_names_what_is_there() -> None:
    """Its Containerfile is there, and the client has the user's variables and the service's volume."""
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    build = services["images"]["build"]

    assert (COMPOSE.parent / build["context"] / build["dockerfile"]).is_file()
    assert services["client"]["build"] == build
    assert services["client"]["environment"]["OS_CLIENT_CONFIG_FILE"] == "/data/clouds.yaml"
    assert "VOLUME /data" in (ROOT / "packaging" / "Containerfile").read_text()
