"""Images that create and publish sign, and that download verifies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support.commands import Command, Terminal
from support.signing import CERTIFICATE_ID, KeyPair, make_key_pair

RAW = ("--disk-format", "raw")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    """The key that images are signed with."""
    return make_key_pair(tmp_path_factory.mktemp("keys"), "mine")


def signing(key: Path) -> tuple[str, ...]:
    return ("--sign-key-path", str(key), "--sign-cert-id", CERTIFICATE_ID)


@pytest.mark.parametrize("way", ["create", "create --import", "publish"])
def test_signed_and_verified(ecl: Command, name: str, disk: Path, pair: KeyPair, tmp_path: Path, way: str) -> None:
    """An image is signed on its way in, and verified on its way out."""
    words = way.split()
    made = ecl("image", words[0], name, "--file", str(disk), *words[1:], *RAW, *signing(pair.key), "-f", "json").json
    target = tmp_path / "out"
    said = ecl("image", "save", name, "--file", str(target), "--verify-certificate", str(pair.certificate)).err

    assert made["properties"]["img_signature_certificate_uuid"] == CERTIFICATE_ID
    assert target.read_bytes() == disk.read_bytes()
    assert "verified, and so is its signature" in said


def test_verified_on_standard_output(ecl: Command, name: str, disk: Path, pair: KeyPair) -> None:
    """What goes to standard output is verified as well: the exit code says so."""
    ecl("image", "create", name, "--file", str(disk), *RAW, *signing(pair.key))
    verified = ecl("image", "download", name, "--verify-certificate", str(pair.certificate))

    assert verified.data == disk.read_bytes()


def test_wrong_certificate(ecl: Command, name: str, disk: Path, pair: KeyPair, tmp_path: Path) -> None:
    """Another certificate, and an image that is not signed, are one line, exit code 1, and no file."""
    other = make_key_pair(tmp_path, "other")
    ecl("image", "create", name, "--file", str(disk), *RAW, *signing(pair.key))
    ecl("image", "create", f"{name} plain", "--file", str(disk), *RAW)
    target = tmp_path / "target" / "out"
    target.parent.mkdir()
    for image, certificate, words in (
        (name, other.certificate, f"is not of its data and the key of {other.certificate}"),
        (f"{name} plain", pair.certificate, "is not signed"),
    ):
        said = ecl(
            "image", "download", image, "--file", str(target), "--verify-certificate", str(certificate), code=1
        ).err
        assert words in said
        assert said.count("\n") == 1
    assert list(target.parent.iterdir()) == []


def test_encrypted_key(ecl: Command, name: str, disk: Path, pair: KeyPair, monkeypatch: pytest.MonkeyPatch) -> None:
    """The password of a key comes from a variable; without it, and with a wrong one, nothing is created."""
    words = ("image", "create", name, "--file", str(disk), *RAW, *signing(pair.encrypted), "-f", "json")
    assert f"The key {pair.encrypted} is encrypted: set OS_SIGN_KEY_PASSWORD" in ecl(*words, code=2).err
    monkeypatch.setenv("OS_SIGN_KEY_PASSWORD", "wrong")
    said = ecl(*words, code=2).err
    assert f"{pair.encrypted} cannot be decrypted with this password" in said
    assert "wrong" not in said
    assert ecl("image", "list", "--name", name, "-f", "json").json == []

    monkeypatch.setenv("OS_SIGN_KEY_PASSWORD", pair.password)
    assert ecl(*words).json["properties"]["img_signature"]


def test_password_is_asked_for(
    terminal: Callable[..., Terminal], name: str, disk: Path, pair: KeyPair, ecl: Command
) -> None:
    """On a terminal the password of an encrypted key is asked for, and not shown."""
    window = terminal("image", "create", name, "--file", str(disk), *RAW, *signing(pair.encrypted))
    window.wait_for("Password of ")
    window.type(pair.password + "\n")
    window.wait_for("img_signature")

    assert window.end() == 0
    assert pair.password not in window.plain


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--sign-key-path", "x"), "--sign-key-path and --sign-cert-id go together"),
        (("--sign-cert-id", CERTIFICATE_ID), "--sign-key-path and --sign-cert-id go together"),
        (("--sign-key-path", "no-such-key", "--sign-cert-id", CERTIFICATE_ID), "no-such-key cannot be read: No such"),
    ],
)
def test_bad_options(ecl: Command, name: str, disk: Path, words: tuple[str, ...], said: str) -> None:
    """What cannot sign is one sentence, and there is no image."""
    for command in ("create", "publish"):
        assert said in ecl("image", command, name, "--file", str(disk), *words, code=2).err
    assert ecl("image", "list", "--name", name, "-f", "json").json == []


def test_what_cannot_be_signed(ecl: Command, name: str, pair: KeyPair) -> None:
    """Standard input is gone once it was read, and an image without data has nothing to sign."""
    for file in ((), ("--file", "-")):
        assert "name a file by --file" in ecl(
            "image", "create", name, *file, *signing(pair.key), code=2, stdin=b"x"
        ).err  # fmt: skip
