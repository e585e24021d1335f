"""One configuration, read by both libraries against the same Keystone: what each sends, and with what TLS arguments."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest
import yaml

import ecl
from ecl.exceptions import SDKException
from support.http_stub import HttpStub, Keystone

__all__ = ["INTERFACES", "REGIONS", "Case", "Readers", "differences"]

REGIONS = ("RegionOne", "RegionTwo", "RegionThree")
INTERFACES = ("public", "internal", "admin")
_ROOT = Path(__file__).parents[3]
_STOCK = _ROOT / ".venvs" / "stock"


@dataclass(frozen=True)
class Case:
    """
    Files, variables and arguments.

    KEYSTONE stands for the address of Keystone without a path; FOLDER for the folder of the files, which is the
    current one.
    """

    name: str
    #: Contents by path: a mapping becomes YAML, or JSON for a path that ends so. ``~`` is the user's home.
    files: dict[str, Any] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    #: Arguments of connect().
    cloud: str | None = None
    region: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, written: Mapping[str, Any]) -> Case:
        """Make a case of what the corpus has: ``clouds``, ``secure`` and ``public`` are files of the current folder."""
        written = dict(written)
        files = dict(written.pop("files", {}))
        for key, path, section in (
            ("clouds", "clouds.yaml", "clouds"),
            ("secure", "secure.yaml", "clouds"),
            ("public", "clouds-public.yaml", "public-clouds"),
        ):
            if key in written:
                files[path] = {section: written.pop(key)}
        return cls(files=files, **written)


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """Return in what two readings differ, a line each."""
    if "error" in ours and "error" in theirs and not ours["login"] and not theirs["login"]:
        return []
    return [
        f"{key}: here {ours.get(key)!r}, openstacksdk {theirs.get(key)!r}"
        for key in ("login", "image", "verify", "cert", "timeout")
        if ours.get(key) != theirs.get(key)
    ]


class Readers:
    """Both libraries, and the cloud that they log in to."""

    def __init__(self, stack: ExitStack) -> None:
        """Start both; they end with *stack*."""
        if not (_STOCK / "installed.txt").exists():
            pytest.skip("no .venvs/stock (scripts/test-inputs)")
        self._stub = stack.enter_context(HttpStub())
        self._log = stack.enter_context(tempfile.TemporaryFile("w+"))  # noqa: SIM115 - the stack closes it
        self._theirs = stack.enter_context(
            subprocess.Popen(
                [_STOCK / "bin" / "python", "-W", "ignore", Path(__file__).parent / "openstacksdk_reads.py"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                text=True,
                env={"PATH": "", "PYTHONUTF8": "1"},
            )
        )
        stack.callback(self._theirs.kill)
        # Our library finds openstacksdk as if it were installed beside it, and nothing else of its environment.
        self._beside = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="beside-")))
        (self._beside / "openstack").symlink_to(next(_STOCK.glob("lib/python3*/site-packages/openstack")))

    def read(self, case: Case, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what our library makes of *case*, and what openstacksdk makes of it."""
        here = _InFolder(case, folder, self._stub.url)
        return self._seen(self._our_reading, here), self._seen(self._their_reading, here)

    def _seen(self, reading: Any, here: _InFolder) -> dict[str, Any]:
        self._stub.reset()
        keystone = Keystone(self._stub)
        keystone.serve_images(REGIONS, INTERFACES)
        for path in ("/elsewhere", "/elsewhere/RegionTwo"):
            keystone.serve_versions(path)
        seen: dict[str, Any] = reading(here)
        logins = [request.json for request in self._stub.requests if request.method == "POST"]
        asked = [request.path for request in self._stub.requests if request.path.endswith("/images")]
        seen["login"] = logins[-1]["auth"] if logins else None
        seen["image"] = asked[-1] if asked else None
        # None is requests' way to say that it may decide, which is to verify.
        seen["verify"] = True if seen.get("verify") is None else seen["verify"]
        seen["cert"] = list(cert) if isinstance(cert := seen.get("cert"), tuple) else cert
        return seen

    def _our_reading(self, here: _InFolder) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        with here.entered(self._beside), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                with ecl.connect(here.case.cloud, region_name=here.case.region, **here.case.arguments) as conn:
                    session = conn.session
                    seen = {"verify": session.verify, "cert": session.cert, "timeout": session.timeout}
                    list(conn.image.images(limit=1))
            except SDKException as exc:
                seen["error"] = str(exc)
        seen["warnings"] = [str(each.message) for each in caught]
        return seen

    def _their_reading(self, here: _InFolder) -> dict[str, Any]:
        task = {
            "environ": here.environ,
            "folder": str(here.folder),
            "cloud": here.case.cloud,
            "region": here.case.region,
            "arguments": here.case.arguments,
        }
        assert self._theirs.stdin is not None
        assert self._theirs.stdout is not None
        print(json.dumps(task), file=self._theirs.stdin, flush=True)
        line = self._theirs.stdout.readline()
        if not line:
            self._log.seek(0)
            pytest.fail(f"openstacksdk ended:\n{self._log.read()[-5000:]}", pytrace=False)
        seen: dict[str, Any] = json.loads(line)
        return seen


class _InFolder:
    """A case with its files on the disk."""

    def __init__(self, case: Case, folder: Path, keystone: str) -> None:
        self.case = case
        self.folder = folder / "here"
        self.folder.mkdir()
        self._words = {"KEYSTONE": keystone, "FOLDER": str(folder)}
        self.environ = {"HOME": str(folder / "home"), "PATH": ""}
        self.environ |= {name: self._filled(value) for name, value in case.env.items()}
        # requests looks whether they are there, over http too.
        for place in (folder, folder / "home"):
            place.mkdir(exist_ok=True)
            for name in ("c.pem", "k.pem"):
                (place / name).touch()
        for name, content in case.files.items():
            path = self.folder / name.replace("~", str(folder / "home"))
            path.parent.mkdir(parents=True, exist_ok=True)
            text = content if isinstance(content, str) else self._dumped(path, content)
            path.write_text(self._filled(text))

    def _dumped(self, path: Path, content: object) -> str:
        return json.dumps(content, indent="\t") if path.suffix == ".json" else yaml.safe_dump(content, sort_keys=False)

    def _filled(self, text: str) -> str:
        for word, value in self._words.items():
            text = text.replace(word, value)
        return text

    @contextmanager
    def entered(self, beside: Path) -> Iterator[Self]:
        """This process has the case's environment and current folder, and *beside* among its packages."""
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(beside)
            for name in list(os.environ):
                if name.startswith(("OS_", "XDG_")):
                    patch.delenv(name)
            for name, value in self.environ.items():
                patch.setenv(name, value)
            patch.chdir(self.folder)
            yield self
