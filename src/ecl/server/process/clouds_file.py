"""The ``clouds.yaml`` that the service writes into its data folder, for the SDK and every OpenStack client."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CloudEntry", "self_signed", "update_clouds", "write_clouds"]


@dataclass(frozen=True, slots=True)
class CloudEntry:
    """One cloud: a user on a project."""

    name: str
    username: str
    password: str
    project_id: str
    region: str


def write_clouds(path: Path, auth_url: str, entries: Sequence[CloudEntry]) -> None:
    """Write *path* atomically, readable by its owner only."""
    lines = ["# Written by `ecl serve` at its first start: these are its only copies of the passwords.", "clouds:"]
    for entry in entries:
        auth = {
            "auth_url": auth_url,
            "username": entry.username,
            "password": entry.password,
            "project_id": entry.project_id,
            "user_domain_id": "default",
            "project_domain_id": "default",
        }
        lines += [f"  {entry.name}:", "    auth:", *_pairs(auth, 6)]
        lines += _pairs({"region_name": entry.region, "identity_api_version": "3"}, 4)
    _replace(path, "\n".join([*lines, ""]))


def update_clouds(path: Path, auth_url: str, cacert: Path | None) -> None:
    """
    Set every ``auth_url`` in *path*, in case the address has changed since the last start.

    Args:
        cacert: Set this ``cacert``, too; None leaves what is there, which may be the user's own.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    new = re.sub(r"^( +auth_url: ).*$", lambda found: found[1] + json.dumps(auth_url), text, flags=re.MULTILINE)
    if cacert is not None:
        new = re.sub(r"^    cacert: .*\n", "", new, flags=re.MULTILINE)
        line = f"    cacert: {json.dumps(str(cacert))}\n"
        new = re.sub(r"^    auth:\n", lambda found: line + found[0], new, flags=re.MULTILINE)
    if new != text:
        _replace(path, new)


def self_signed(certificate: Path | None) -> Path | None:
    """Return the absolute path of *certificate* if it is its own CA: clients must be told to trust it."""
    if certificate is None:
        return None
    from cryptography import x509

    found = x509.load_pem_x509_certificate(certificate.read_bytes())
    return Path(os.path.abspath(certificate)) if found.subject == found.issuer else None


def _pairs(values: Mapping[str, str], indent: int) -> list[str]:
    # Every JSON string is a YAML string.
    return [f"{' ' * indent}{key}: {json.dumps(value)}" for key, value in values.items()]


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
