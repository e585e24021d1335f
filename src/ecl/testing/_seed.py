"""Seed a service with the images of a manifest, by the command that applies manifests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ecl.testing._door import Refused

__all__ = ["applied", "clouds_document"]

# The command is not imported: it uses this kit itself.
_COMMAND = (sys.executable, "-c", "import sys; from ecl.cli.main import main; sys.exit(main())")


def clouds_document(name: str, credentials: Mapping[str, str], cacert: Path | None = None) -> dict[str, Any]:
    """Return a clouds.yaml with one cloud, as an object."""
    auth = {key: value for key, value in credentials.items() if key != "region_name"}
    cloud: dict[str, Any] = {"region_name": credentials["region_name"], "identity_api_version": "3", "auth": auth}
    return {"clouds": {name: {**cloud, "cacert": str(cacert)} if cacert else cloud}}


def applied(manifest: Path | Mapping[str, Any], credentials: Mapping[str, str], cacert: Path | None) -> dict[str, str]:
    """
    Apply *manifest*, and return the IDs of its images by their names.

    Raises:
        Refused: The manifest is wrong, or an image cannot be created.
    """
    with tempfile.TemporaryDirectory(prefix="ecl-seed-") as folder:
        clouds = Path(folder, "clouds.yaml")
        # JSON is YAML.
        clouds.write_text(json.dumps(clouds_document("seed", credentials, cacert)), encoding="utf-8")
        path = manifest if isinstance(manifest, Path) else _written(manifest, Path(folder))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
        environment |= {"OS_CLIENT_CONFIG_FILE": str(clouds), "OS_CLOUD": "seed", "NO_PROXY": "*", "no_proxy": "*"}
        # The user's own cache gets no token of a service that soon ends.
        environment["XDG_CACHE_HOME"] = folder
        words = ("image", "sync", str(path), "--cloud", "seed", "--apply", "--progress", "none", "--format", "json")
        done = subprocess.run(  # noqa: S603 - our own command
            [*_COMMAND, *words], env=environment, capture_output=True, text=True, check=False
        )
    if done.returncode:
        reasons = [f"{row['name']}: {row['why']}" for row in _rows(done.stdout) if row["action"] in _WRONG]
        raise Refused(f"The manifest cannot be applied: {'; '.join(reasons) or done.stderr.strip()}")
    return {row["name"]: row["id"] for row in _rows(done.stdout) if row["action"] != "hide"}


_WRONG = ("conflict", "error")


def _rows(text: str) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = json.loads(text)
    except ValueError:
        return []
    return found


def _written(manifest: Mapping[str, Any], folder: Path) -> Path:
    """Write *manifest* into *folder*; paths in it are relative to the current folder."""
    images = manifest.get("images")
    if isinstance(images, list):
        images = [_anchored(image) if isinstance(image, Mapping) else image for image in images]
        manifest = {**manifest, "images": images}
    path = folder / "seed.yaml"
    path.write_text(json.dumps(manifest, default=str), encoding="utf-8")
    return path


def _anchored(image: Mapping[str, Any]) -> dict[str, Any]:
    source = image.get("source")
    if isinstance(source, str | Path) and "://" not in str(source):
        return {**image, "source": str(Path(source).expanduser().absolute())}
    return dict(image)
