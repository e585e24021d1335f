"""Images that are signed when they are created, and verified when they are downloaded."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from ecl import exceptions
from ecl.image.importing import create_by_import
from ecl.image.transfer import UploadOptions
from ecl.image.v2._proxy import Proxy
from support.http_stub import Answer, HttpStub
from support.signing import CERTIFICATE_ID, KeyPair, make_key_pair

DATA = bytes(range(256)) * 5000
NAMES = {"img_signature", "img_signature_hash_method", "img_signature_key_type", "img_signature_certificate_uuid"}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    """The key that images are signed with."""
    return make_key_pair(tmp_path_factory.mktemp("keys"), "mine")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    """Somebody else's key."""
    return make_key_pair(tmp_path_factory.mktemp("keys"), "other")


def is_signed_by(pair: KeyPair, signature: str, data: bytes) -> bool:
    """Tell whether *signature* is RSA-PSS of *data*, by another way than the library's."""
    key = serialization.load_pem_private_key(pair.key.read_bytes(), None).public_key()
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.MAX_LENGTH)
    try:
        key.verify(base64.b64decode(signature), data, pss, hashes.SHA256())  # type: ignore[union-attr,call-arg,arg-type]
    except InvalidSignature:
        return False
    return True


def test_a_signed_image_says_how(direct: Proxy, pair: KeyPair, tmp_path: Path) -> None:
    """The image gets four properties, and the signature in them is that of its data."""
    path = tmp_path / "disk.raw"
    path.write_bytes(DATA)

    image = direct.create_image(
        name="signed", disk_format="raw", data=path, sign_key=pair.key, sign_cert_id=CERTIFICATE_ID, os_distro="debian"
    )

    shown = direct.get_image(image).properties
    assert shown.keys() == NAMES | {"os_distro"}
    assert shown["img_signature_hash_method"] == "SHA-256"
    assert shown["img_signature_key_type"] == "RSA-PSS"
    assert shown["img_signature_certificate_uuid"] == CERTIFICATE_ID
    assert is_signed_by(pair, shown["img_signature"], DATA)
    direct.delete_image(image)


@pytest.mark.parametrize("form", ["path", "text", "PEM", "bytes", "encrypted"])
def test_forms_of_a_key(direct: Proxy, pair: KeyPair, form: str) -> None:
    """A key is a path or PEM, as text or bytes; an encrypted one takes a password."""
    key = {
        "path": pair.key, "text": str(pair.key), "PEM": pair.key.read_text(), "bytes": pair.key.read_bytes(),
        "encrypted": pair.encrypted,
    }[form]  # fmt: skip
    # A password of a key that needs none does not matter.
    image = direct.create_image(
        name="signed", disk_format="raw", data=DATA, sign_key=key, sign_cert_id=CERTIFICATE_ID,
        sign_key_password=None if form == "path" else pair.password,
    )  # fmt: skip

    assert is_signed_by(pair, image.properties["img_signature"], DATA)
    direct.delete_image(image)


def test_the_signature_is_of_what_is_sent(direct: Proxy, pair: KeyPair) -> None:
    """What is decoded on the way is signed as it arrives."""
    image = direct.create_image(
        name="signed", disk_format="raw", data=gzip.compress(DATA), decompress=True, sign_key=pair.key,
        sign_cert_id=CERTIFICATE_ID,
    )  # fmt: skip

    assert is_signed_by(pair, image.properties["img_signature"], DATA)
    direct.delete_image(image)


def test_an_import_is_signed_as_well(direct: Proxy, pair: KeyPair) -> None:
    """Data that goes through the staging area has its signature, too."""
    options = UploadOptions.of(sign_key=pair.key, sign_cert_id=CERTIFICATE_ID)
    image = create_by_import(direct, DATA, {"name": "signed", "disk_format": "raw"}, options)

    assert is_signed_by(pair, image.properties["img_signature"], DATA)
    direct.delete_image(image)


def test_many_are_signed(direct: Proxy, pair: KeyPair) -> None:
    """Among many images each may be signed; the path of a key never becomes a property."""
    signing = {"sign_key": str(pair.encrypted), "sign_cert_id": CERTIFICATE_ID, "sign_key_password": pair.password}
    signed, plain = direct.upload_images(
        [
            {"name": "a", "disk_format": "raw", "data": DATA, **signing},
            {"name": "b", "disk_format": "raw", "data": DATA},
        ]
    )

    assert (set(signed.properties), set(plain.properties)) == (NAMES, set())
    for image in (signed, plain):
        direct.delete_image(image)


def test_data_that_changes_after_it_was_signed(direct: Proxy, pair: KeyPair) -> None:
    """Where other bytes are sent than were signed, there is no image."""
    contents = iter([DATA, DATA, DATA[::-1]])
    before = {image.id for image in direct.images()}
    with pytest.raises(exceptions.FileFailure, match="has sha256"):
        direct.create_image(
            name="x", disk_format="raw", data=lambda: [next(contents)], sign_key=pair.key, sign_cert_id=CERTIFICATE_ID
        )

    assert {image.id for image in direct.images()} == before


@pytest.mark.parametrize("form", ["pem", "der", "text", "bytes"])
def test_verified_on_download(direct: Proxy, pair: KeyPair, form: str, tmp_path: Path) -> None:
    """With the certificate at hand, each way to download verifies the signature; the dates do not count."""
    certificate = {
        "pem": pair.certificate, "der": str(pair.der), "text": pair.certificate.read_text(),
        "bytes": pair.certificate.read_bytes(),
    }[form]  # fmt: skip
    image = direct.create_image(
        name="signed", disk_format="raw", data=DATA, sign_key=pair.key, sign_cert_id=CERTIFICATE_ID
    )
    path = tmp_path / "out"

    direct.download_image(str(image.id), output=path, verify_signature=certificate)
    assert path.read_bytes() == DATA
    direct.download_image(image, output=path, verify_signature=certificate, connections=4)
    assert direct.download_image(image, verify_signature=certificate) == DATA
    buffer = io.BytesIO()
    direct.download_image(image, output=buffer, verify_signature=certificate)
    assert buffer.getvalue() == DATA
    assert direct.download_image(image, stream=True, verify_signature=certificate).content == DATA
    direct.delete_image(image)


def test_the_wrong_certificate(direct: Proxy, pair: KeyPair, other: KeyPair, tmp_path: Path) -> None:
    """Verified by another certificate, the download is an error that names it, and no file is left."""
    image = direct.create_image(
        name="signed", disk_format="raw", data=DATA, sign_key=pair.key, sign_cert_id=CERTIFICATE_ID
    )
    with pytest.raises(exceptions.SignatureMismatch, match=str(other.certificate)):
        direct.download_image(image, output=tmp_path / "out", verify_signature=other.certificate)
    assert list(tmp_path.iterdir()) == []
    received = []
    with pytest.raises(exceptions.SignatureMismatch):
        received.extend(direct.download_image(image, stream=True, chunk_size=100, verify_signature=other.certificate))
    assert len(b"".join(received)) < len(DATA)
    direct.delete_image(image)


def test_other_data_under_a_signature(direct: Proxy, pair: KeyPair, tmp_path: Path) -> None:
    """Data that the service vouches for, and the key did not sign, is refused."""
    signed = direct.create_image(
        name="signed", disk_format="raw", data=DATA, sign_key=pair.key, sign_cert_id=CERTIFICATE_ID
    )
    forged = direct.create_image(name="x", disk_format="raw", data=DATA + b"!", properties=signed.properties)
    with pytest.raises(exceptions.SignatureMismatch, match=str(forged.id)):
        direct.download_image(forged, output=tmp_path / "out", verify_signature=pair.certificate)

    assert list(tmp_path.iterdir()) == []
    for image in (signed, forged):
        direct.delete_image(image)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"img_signature": None}, "is not signed: it has no img_signature;"),
        ({"img_signature": "?"}, "img_signature of image .* is not base64"),
        ({"img_signature_hash_method": "MD5"}, "img_signature_hash_method is 'MD5', and only SHA-224, SHA-256"),
        ({"img_signature_key_type": "DSA"}, "img_signature_key_type is 'DSA', and only RSA-PSS"),
    ],
)
def test_signatures_that_cannot_be_verified(
    direct: Proxy, pair: KeyPair, changes: dict[str, str | None], words: str, tmp_path: Path
) -> None:
    """An image without a signature, or with one of another kind, is refused before its data is asked for."""
    image = direct.create_image(
        name="signed", disk_format="raw", data=DATA, sign_key=pair.key, sign_cert_id=CERTIFICATE_ID
    )
    direct.update_image(image, changes)
    with pytest.raises(exceptions.SignatureMismatch, match=words):
        direct.download_image(str(image.id), output=tmp_path / "out", verify_signature=pair.certificate)

    assert list(tmp_path.iterdir()) == []
    direct.delete_image(image)


def test_bad_keys(pair: KeyPair, tmp_path: Path) -> None:
    """What cannot sign is one error before anything is sent: what is wrong, and where."""
    elliptic = make_key_pair(tmp_path, "elliptic", elliptic=True)
    (tmp_path / "junk").write_bytes(b"junk")
    good = {"sign_key": pair.key, "sign_cert_id": CERTIFICATE_ID, "data": DATA}
    for given, words in (
        ({"sign_key": tmp_path / "none"}, "none cannot be read: No such file"),
        ({"sign_key": tmp_path}, "cannot be read: Is a directory"),
        ({"sign_key": tmp_path / "junk"}, "junk is not a private key in PEM"),
        ({"sign_key": pair.certificate}, "mine.pem is not a private key in PEM"),
        ({"sign_key": elliptic.key}, "elliptic.key is not an RSA key"),
        ({"sign_key": pair.encrypted}, "mine.locked is encrypted: give its password"),
        ({"sign_key": pair.encrypted, "sign_key_password": "no"}, "mine.locked cannot be decrypted"),
        ({"sign_key": 5}, "must be PEM or a path, not int"),
        ({"sign_key": None}, "sign_key and sign_cert_id go together"),
        ({"sign_cert_id": None}, "sign_key and sign_cert_id go together"),
        ({"sign_cert_id": "mine"}, "must be a UUID, of the cloud's key manager, not 'mine'"),
        ({"data": None}, "sign_key is about the data"),
        ({"data": iter([DATA])}, "can be read only once"),
        ({"img_signature": "x"}, "img_signature cannot be given beside sign_key"),
        ({"properties": {"img_signature": "x"}}, "img_signature cannot be given beside sign_key"),
    ):
        with HttpStub() as stub:
            proxy = Proxy(_session(stub))
            with pytest.raises(exceptions.InvalidRequest, match=words) as caught:
                proxy.create_image(name="x", disk_format="raw", **{**good, **given})  # type: ignore[arg-type]
            assert "PRIVATE KEY" not in str(caught.value)
            assert stub.requests == []


def test_bad_certificates(pair: KeyPair, tmp_path: Path) -> None:
    """What is no certificate of an RSA key is an error before anything is sent."""
    elliptic = make_key_pair(tmp_path, "elliptic", elliptic=True)
    for certificate, words in (
        (tmp_path / "none", "none cannot be read: No such file"),
        (pair.key, "mine.key is not an X.509 certificate in PEM or DER"),
        (b"junk", "The certificate is not an X.509 certificate"),
        (elliptic.certificate, "elliptic.pem is not the certificate of an RSA key"),
    ):
        with HttpStub() as stub:
            with pytest.raises(exceptions.InvalidRequest, match=words):
                Proxy(_session(stub)).download_image("abc", output=tmp_path / "out", verify_signature=certificate)
            assert stub.requests == []


def test_other_hashes_and_salts(pair: KeyPair) -> None:
    """Signatures with the other hashes of the API, and with a salt of another length, are verified."""
    key = serialization.load_pem_private_key(pair.key.read_bytes(), None)
    image = {"id": "abc", "status": "active", "size": len(DATA), "os_hash_algo": "sha512",
             "os_hash_value": hashlib.sha512(DATA).hexdigest(), "img_signature_key_type": "RSA-PSS",
             "img_signature_certificate_uuid": CERTIFICATE_ID}  # fmt: skip
    for method, salt in (("224", 0), ("384", 0), ("512", 0), ("512", 20)):
        kind = getattr(hashes, f"SHA{method}")()
        pss = padding.PSS(mgf=padding.MGF1(kind), salt_length=salt or padding.PSS.MAX_LENGTH)
        signature = base64.b64encode(key.sign(DATA, pss, kind)).decode()  # type: ignore[union-attr,call-arg,arg-type]
        signed = {**image, "img_signature": signature, "img_signature_hash_method": f"SHA-{method}"}
        with HttpStub() as stub:
            stub.on("GET", "/v2/images/abc", Answer.json(signed))
            stub.on("GET", "/v2/images/abc/file", Answer.data(DATA))
            proxy = Proxy(_session(stub))
            assert proxy.download_image("abc", verify_signature=pair.certificate) == DATA


def _session(stub: HttpStub) -> object:
    from keystoneauth1.noauth import NoAuth
    from keystoneauth1.session import Session

    return Session(auth=NoAuth(endpoint=stub.url))
