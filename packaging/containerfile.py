"""Run the steps of a Containerfile in plain folders, where there is no container engine. Needs root and chroot."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Stage", "build", "instructions", "words_of"]

_RECORDED = {"VOLUME", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"}


@dataclass
class Stage:
    """One stage: its root, and what its instructions set."""

    root: Path
    environ: dict[str, str] = field(default_factory=dict)
    user: str = "root"
    folder: str = "/"
    #: HEALTHCHECK, ENTRYPOINT and the like, as they are written.
    recorded: dict[str, str] = field(default_factory=dict)

    def command(self, *words: str) -> list[str]:
        """Return the command that runs *words* in this root, as the stage's user."""
        variables = [f"{name}={value}" for name, value in self.environ.items()]
        inside = ["env", "--ignore-environment", "--chdir", self.folder, *variables, *words]
        return ["chroot", f"--userspec={self.user}", str(self.root), *inside]


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield the instructions of a Containerfile, each with its arguments on one line."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        yield word, rest.strip()


def build(containerfile: Path, context: Path, base: Path, folder: Path, environ: dict[str, str]) -> Stage:
    """
    Run all stages, and return the last one.

    Args:
        context: The folder that COPY reads.
        base: Root that stands for the image of every FROM.
        folder: Where the roots of the stages are made.
        environ: Variables that RUN gets beside those of ENV, such as the mirror's.

    Raises:
        ValueError: There is an instruction that is not known here.
        CalledProcessError: A step failed.
    """
    stages: dict[str, Stage] = {}
    stage = Stage(base)
    for word, rest in instructions(containerfile.read_text()):
        match word:
            case "FROM":
                name = rest.partition(" AS ")[2] or "last"
                # With devices and owners.
                subprocess.run(["cp", "--archive", "--reflink=auto", base, folder / name], check=True)
                stage = stages[name] = Stage(folder / name, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
            case "RUN":
                inherited = [f"{name}={value}" for name, value in environ.items()]
                subprocess.run(stage.command("env", *inherited, "sh", "-c", rest), check=True)
            case "COPY":
                *options, source, target = shlex.split(rest)
                origin = stages[options[0].removeprefix("--from=")].root if options else context
                shutil.copytree(origin / source.lstrip("/"), stage.root / target.lstrip("/"), symlinks=True)
            case "ENV":
                stage.environ |= dict(pair.split("=", 1) for pair in shlex.split(rest))
            case "USER":
                stage.user = rest
            case "WORKDIR":
                stage.folder = rest
            case _ if word in _RECORDED:
                stage.recorded[word] = rest
            case _:
                raise ValueError(f"unknown instruction {word}")
    return stage


def words_of(stage: Stage) -> list[str]:
    """Return what the container runs: ENTRYPOINT and CMD."""
    return [word for name in ("ENTRYPOINT", "CMD") for word in json.loads(stage.recorded[name])]
