"""Running the command ``ecl``: in this process, or on a terminal of its own."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import json
import logging
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

from ecl.testing import ImageService, TestProject

__all__ = ["CLOUDS", "ECL", "Command", "Result", "Terminal", "write_clouds"]

ECL = Path(sys.executable).with_name("ecl")
#: Clouds that tests have, and the region of each one's project.
CLOUDS = {"here": "jp1", "guest": "jp1", "there": "jp2"}
LIMIT = 60.0


@dataclass
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str
    data: bytes

    @property
    def json(self) -> Any:
        """What it wrote, parsed."""
        return json.loads(self.out)


class Command:
    """``ecl``, called in this process as its console script is."""

    def __call__(self, *words: str, code: int | None = 0, stdin: bytes = b"") -> Result:
        """
        Run the command with *words*.

        Args:
            code: The exit code that it is to end with; None: any.
            stdin: What it reads.
        """
        from ecl.cli.main import main

        streams = [io.TextIOWrapper(io.BytesIO(data), encoding="utf-8") for data in (stdin, b"", b"")]
        ended: int | str | None = None
        handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
        with (
            mock.patch.object(sys, "argv", ["ecl", *words]),
            mock.patch.object(sys, "stdin", streams[0]),
            contextlib.redirect_stdout(streams[1]),
            contextlib.redirect_stderr(streams[2]),
            warnings.catch_warnings(),
            _loggers_as_before(),
        ):
            warnings.simplefilter("default")
            try:
                main()
            except SystemExit as exc:
                ended = exc.code
            finally:
                for number, handler in handlers.items():
                    signal.signal(number, handler)
            for stream in streams[1:]:
                stream.flush()
        out, err = (stream.buffer.getvalue() for stream in streams[1:])  # type: ignore[attr-defined]  # a BytesIO
        result = Result(int(ended or 0), out.decode(errors="replace"), err.decode(), out)
        assert code in (None, result.code), (
            f"ecl {' '.join(words)} ended with {result.code}:\n{result.out}\n{result.err}"
        )
        return result


@contextlib.contextmanager
def _loggers_as_before() -> Any:
    loggers = [logging.getLogger(name) for name in ("ecl", "keystoneauth")]
    before = [(each, each.level, each.handlers[:]) for each in loggers]
    yield
    for each, level, handlers in before:
        each.setLevel(level)
        each.handlers[:] = handlers


class Terminal:
    """``ecl``, or another program, on a terminal: what it shows, and what its user types."""

    def __init__(
        self, words: tuple[str, ...], columns: int, environ: Mapping[str, str], program: str | Path = ECL
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self._process = subprocess.Popen(
            [program, *words], stdin=slave, stdout=slave, stderr=slave, env=environ, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(slave)
        self.text = ""
        self._is_open = True

    @property
    def plain(self) -> str:
        """What was shown, without escapes."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.text)

    def wait_for(self, pattern: str) -> None:
        """Read until *pattern* has been shown."""
        deadline = time.monotonic() + LIMIT
        while not re.search(pattern, self.plain):
            assert time.monotonic() < deadline, f"{pattern!r} never came:\n{self.plain}"
            assert self._read(deadline), f"it ended without {pattern!r}:\n{self.plain}"

    def type(self, text: str) -> None:
        """Type *text*; ``\\x03`` is Ctrl-C."""
        os.write(self._master, text.encode())

    def terminate(self) -> None:
        """Send SIGTERM, as the end of a session does."""
        self._process.terminate()

    def hang_up(self) -> int:
        """Close the terminal, and return the exit code."""
        os.close(self._master)
        self._is_open = False
        return self._process.wait(LIMIT)

    def end(self, again: str = "") -> int:
        """
        Read to the end, and return the exit code.

        Args:
            again: Typed whenever nothing has happened for a second. A Ctrl-C that meets Python between showing a
                question and waiting for the answer is noticed only with the next one.
        """
        deadline = time.monotonic() + LIMIT
        while self._read(min(deadline, time.monotonic() + 1) if again else deadline, again):
            assert time.monotonic() < deadline, f"it does not end:\n{self.plain}"
        return self._process.wait(LIMIT)

    def close(self) -> None:
        """End it, if it has not ended."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._is_open:
            os.close(self._master)

    def _read(self, deadline: float, otherwise: str = "") -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            self.type(otherwise)
            return True
        try:
            block = os.read(self._master, 1 << 16)
        except OSError as exc:
            if exc.errno != errno.EIO:
                raise
            block = b""
        self.text += block.decode(errors="replace")
        return bool(block)


def write_clouds(path: Path, service: ImageService, projects: Mapping[str, TestProject]) -> None:
    """Write a clouds.yaml with one cloud for each of *projects*, and one of the administrator."""
    credentials = {name: service.credentials(project=project) for name, project in projects.items()}
    credentials["admin"] = service.credentials(user="admin")
    clouds = {name: {"region_name": auth.pop("region_name"), "auth": auth} for name, auth in credentials.items()}
    path.write_text(yaml.safe_dump({"clouds": clouds}))
