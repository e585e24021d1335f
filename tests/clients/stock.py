"""Runs other people's clients, each in its own venv and process."""

from __future__ import annotations

import ast
import json
import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import pytest
from clouds import Cloud

__all__ = ["CHECKSUM", "DISK", "RAW", "SIZE", "TEXT", "Commands", "drive", "run_tool", "venv_of", "verbs_in"]

_HERE = Path(__file__).parent
_VENVS = _HERE.parent.parent / ".venvs"
_CACHE = _HERE.parent.parent / ".cache"
#: Where Debian's packages put libraries for Go.
_GO_LIBRARIES = Path("/usr/share/gocode")
_SECONDS = 90

#: Of the image that the drivers upload: md5, and bytes.
CHECKSUM = "c9673ed338afa48ae22ae8531e77aba4"
SIZE = 1_600_000
#: What the commands upload, and how they say that it is a raw image.
DISK = random.Random(3).randbytes(1_000_001)
RAW = ("--disk-format", "raw", "--container-format", "bare")
#: The schema of a property among metadata definitions.
TEXT = {"title": "A text", "type": "string"}


def drive(cloud: Cloud, client: str, driver: str, identities: Sequence[str], **task: object) -> Any:
    """
    Run a script or program of ``drivers`` with the logins of *identities*, and return the facts that it prints.

    Args:
        cloud: The cloud to use.
        client: What a Python script needs in .venvs; of other languages, the client's name.
        driver: The file name.
        identities: Of the cloud.
        task: More for the driver to know.
    """
    task["logins"] = {identity: cloud.login(identity) for identity in identities}
    done = subprocess.run(
        _COMMANDS[Path(driver).suffix](client, driver),
        input=json.dumps(task),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    if done.returncode:
        pytest.fail(f"{driver} ended with {done.returncode}:\n{done.stderr[-5000:]}", pytrace=False)
    return json.loads(done.stdout)


def venv_of(client: str) -> Path:
    """Return the folder of the venv of *client*; the test is skipped where scripts/test-inputs could not make it."""
    venv = _VENVS / client
    if not (venv / "installed.txt").exists():
        pytest.skip(f"no .venvs/{client} (scripts/test-inputs)")
    return venv


def _python(client: str, driver: str, *arguments: str) -> list[str | Path]:
    # Old libraries warn of their own age.
    return [venv_of(client) / "bin" / "python", "-W", "ignore", _HERE / "drivers" / driver, *arguments]


def _ruby(client: str, driver: str) -> list[str | Path]:
    ruby = shutil.which("ruby")
    if ruby is None or subprocess.run([ruby, "-e", f"gem '{client}'"], capture_output=True).returncode:
        pytest.skip(f"no {client} for Ruby (scripts/test-inputs)")
    return [ruby, "-W0", _HERE / "drivers" / driver]


def _go(client: str, driver: str) -> list[str | Path]:
    """Build the program with Debian's Go and the libraries that Debian packages for it."""
    go = shutil.which("go")
    if go is None or not list(_GO_LIBRARIES.glob(f"src/*/*/{client}")):
        pytest.skip(f"no Go with {client} (scripts/test-inputs)")
    built = _CACHE / "go" / Path(driver).stem
    # Without a change since, Go takes what it built before.
    environment = {"PATH": os.defpath, "HOME": str(_CACHE), "GOCACHE": str(_CACHE / "go"), "GOPATH": str(_GO_LIBRARIES)}
    environment |= {"GO111MODULE": "off", "CGO_ENABLED": "0"}
    command = [go, "build", "-o", built, _HERE / "drivers" / driver]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [built]


_COMMANDS: dict[str, Callable[[str, str], list[str | Path]]] = {".py": _python, ".rb": _ruby, ".go": _go}


def run_tool(cloud: Cloud, client: str, program: str, *arguments: str, folder: Path) -> str:
    """
    Run a command of a client's venv that succeeds, as the member, with a cloud called "stock" in clouds.yaml.

    Args:
        cloud: The cloud to use.
        client: The venv in .venvs.
        program: In the venv's ``bin``.
        arguments: Of the command.
        folder: Where it runs and has its home.

    Returns:
        What it printed, errors and warnings too.
    """
    settings = folder / "clouds.yaml"
    settings.write_text(json.dumps({"clouds": {"stock": cloud.login("member")}}))
    done = subprocess.run(
        [venv_of(client) / "bin" / program, *arguments],
        cwd=folder,
        env={"PATH": os.defpath, "HOME": str(folder), "OS_CLIENT_CONFIG_FILE": str(settings), "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_SECONDS,
    )
    if done.returncode:
        pytest.fail(f"{program} ended with {done.returncode}:\n{done.stdout[-5000:]}", pytrace=False)
    return done.stdout


class Commands:
    """
    ``openstack`` or ``glance``, made ready once: one command after the other, each as its own user.

    Called with a verb (``"image show"``) and its arguments, it returns what the command printed.

    Attributes:
        verbs: All that the program has for images, as it says itself.
    """

    verbs: list[str]

    def __init__(self, cloud: Cloud, program: str) -> None:
        self._cloud = cloud
        self._program = program
        self._tokens: dict[str, list[str]] = {}

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            # glance keeps the schemas of a cloud in the user's home.
            home = stack.enter_context(tempfile.TemporaryDirectory(prefix="home-"))
            self._log = stack.enter_context(tempfile.TemporaryFile("w+"))
            self._process = stack.enter_context(
                subprocess.Popen(
                    _python("stock", "run_commands.py", self._program),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._log,
                    text=True,
                    env={"PATH": "", "HOME": home, "PYTHONUTF8": "1"},
                )
            )
            stack.callback(self._process.kill)
            self.verbs = self._answer()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def __call__(
        self,
        verb: str,
        *arguments: str,
        identity: str = "member",
        by_password: bool = False,
        options: Sequence[str] = (),
    ) -> str:
        """Run a command that succeeds and complains of nothing, after *options* of the program; return its output."""
        login = self._password(identity) if by_password else self._token(identity)
        done = self._run([*login, *options, *verb.split(), *arguments])
        assert (done["code"], done["err"]) == (0, ""), f"{verb} {arguments}: {done}"
        return str(done["out"])

    def json(self, verb: str, *arguments: str, identity: str = "member") -> Any:
        """Run a command of ``openstack`` that prints JSON; return that."""
        return json.loads(self(verb, *arguments, "-f", "json", identity=identity))

    def error(self, verb: str, *arguments: str, identity: str = "member") -> str:
        """Run a command that complains; return what it said. Some end with exit code 0 all the same."""
        done = self._run([*self._token(identity), *verb.split(), *arguments])
        assert done["err"], f"{verb} {arguments}: {done}"
        return str(done["err"])

    def _password(self, identity: str) -> list[str]:
        """Return the options with which people log in."""
        login = self._cloud.login(identity)
        return _options({**login["auth"], "region_name": login["region_name"]})

    def _token(self, identity: str) -> list[str]:
        """Return options that log in with less work: passwords are hashed slowly, on purpose."""
        if identity not in self._tokens:
            login, session = self._cloud.login(identity), self._cloud.connect(identity).session
            auth, token = login["auth"], session.get_token()
            if self._program == "glance":
                given = {"auth_token": token, "image_url": session.get_endpoint(service_type="image")}
            else:
                given = {"auth_type": "token", "token": token, "region_name": login["region_name"]}
                given |= {name: auth[name] for name in ("auth_url", "project_id", "project_domain_id")}
            self._tokens[identity] = _options(given)
        return self._tokens[identity]

    def _run(self, command: list[str]) -> Any:
        assert self._process.stdin is not None
        print(json.dumps(command), file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            pytest.fail(f"{self._program} ended:\n{self._log.read()[-5000:]}", pytrace=False)
        return json.loads(line)


def _options(given: dict[str, str]) -> list[str]:
    # A secret may begin with a dash.
    return [f"--os-{name.replace('_', '-')}={value}" for name, value in given.items()]


def verbs_in(module: str, program: str) -> set[str]:
    """Return the verbs that the test *module* (a path) calls *program* with: each is written where it is called."""
    called = set()
    for node in ast.walk(ast.parse(Path(module).read_text())):
        if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
            continue
        of = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        if isinstance(of, ast.Name) and of.id == program:
            called.add(str(node.args[0].value))
    return called
