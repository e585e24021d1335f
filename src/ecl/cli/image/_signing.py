"""Options of commands that sign an image."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["sign_options", "taken_signing"]

C = TypeVar("C", bound=Callable[..., Any])

#: Has the password of an encrypted key.
_VARIABLE = "OS_SIGN_KEY_PASSWORD"


def sign_options(command: C) -> C:
    """Add the options that sign an image; :func:`taken_signing` reads them."""
    key = click.option(
        "--sign-key-path", type=click.Path(), metavar="FILE",
        help=f"Sign the image with this RSA key (PEM); {_VARIABLE} may have its password.",
    )  # fmt: skip
    certificate = click.option(
        "--sign-cert-id", metavar="UUID", help="ID of the key's certificate in the cloud's key manager."
    )
    return key(certificate(command))


def taken_signing(options: dict[str, Any], file: str | None) -> dict[str, Any]:
    """
    Take what :func:`sign_options` adds out of *options*; return it as arguments of the SDK.

    Raises:
        UsageError: One is missing, or the data cannot be signed.
    """
    key, certificate = options.pop("sign_key_path"), options.pop("sign_cert_id")
    if key is None and certificate is None:
        return {}
    if key is None or certificate is None:
        raise click.UsageError("--sign-key-path and --sign-cert-id go together: give both, or neither.")
    if file in (None, "-"):
        raise click.UsageError("Signing reads the image before it is sent: name a file by --file.")
    return {"sign_key": key, "sign_cert_id": certificate, "sign_key_password": _password(key)}


def _password(key: str) -> str | None:
    """Return the password of an encrypted key: from the variable, or by asking on the terminal."""
    from ecl.image._transfer.signature import needs_password

    if not needs_password(key):
        return None
    found = os.environ.get(_VARIABLE)
    if found is None and sys.stdin.isatty() and sys.stderr.isatty():
        found = str(click.prompt(f"Password of {key}", hide_input=True, err=True))
    if not found:
        raise click.UsageError(f"The key {key} is encrypted: set {_VARIABLE} to its password.")
    return found
