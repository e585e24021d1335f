"""Signatures that this library makes are right for Glance and Nova, and openstackclient's are right for it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from clouds import EmbeddedCloud
from stock import DISK, venv_of

from ecl import exceptions
from ecl.image.v2._proxy import Proxy
from support.signing import CERTIFICATE_ID, KeyPair, make_key_pair

_DRIVER = Path(__file__).parent / "drivers" / "signatures.py"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    """The key that images are signed with."""
    return make_key_pair(tmp_path_factory.mktemp("keys"), "mine")


def run(client: str, **task: object) -> Any:
    done = subprocess.run(
        [venv_of(client) / "bin" / "python", "-W", "ignore", _DRIVER],
        input=json.dumps(task, default=str), capture_output=True, text=True, timeout=90,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.fixture
def own(embedded: EmbeddedCloud) -> Proxy:
    """The embedded service: a Glance would look for the certificate in a key manager."""
    return embedded.connect()


def test_cursive_verifies_ours(own: Proxy, pair: KeyPair, disk: Path, tmp_path: Path) -> None:
    """An image that was signed here passes the check that Glance and Nova make; other data does not."""
    image = own.create_image(
        name="signed", disk_format="raw", data=disk, sign_key=pair.key, sign_cert_id=CERTIFICATE_ID
    )
    properties = own.get_image(image).properties
    own.delete_image(image)
    changed = tmp_path / "changed"
    changed.write_bytes(DISK[:-1] + b"!")

    task = {"do": "verify", "certificate": pair.certificate, "properties": properties}
    assert run("glance", data=disk, **task) is True
    assert run("glance", data=changed, **task) is False


def test_openstacksdk_signs_and_we_verify(own: Proxy, pair: KeyPair, disk: Path) -> None:
    """An image that openstacksdk's signer signed is verified here; other data under its signature is not."""
    signed = run("stock", do="sign", key=pair.key, data=disk)
    properties = {**signed, "img_signature_certificate_uuid": CERTIFICATE_ID}
    image = own.create_image(name="signed", disk_format="raw", data=disk, properties=properties)
    forged = own.create_image(name="forged", disk_format="raw", data=DISK[:-1] + b"!", properties=properties)

    assert own.download_image(image, verify_signature=pair.certificate) == DISK
    with pytest.raises(exceptions.SignatureMismatch):
        own.download_image(forged, verify_signature=pair.certificate)
    for each in (image, forged):
        own.delete_image(each)
