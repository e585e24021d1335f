"""
Signatures of images, as openstackclient makes them and Glance and Nova verify them.

The digest of the data is signed with an RSA key: RSA-PSS, with MGF1 of the same hash and the longest salt. Four
properties of the image say so; the certificate is in the cloud's key manager, and they name it by its ID.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecl import exceptions

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

__all__ = ["PROPERTIES", "Certificate", "PemOrPath", "Signature", "Signer", "needs_password"]

#: What an image says of its signature.
SIGNATURE, HASH_METHOD, KEY_TYPE, CERTIFICATE_ID = PROPERTIES = (
    "img_signature",
    "img_signature_hash_method",
    "img_signature_key_type",
    "img_signature_certificate_uuid",
)
_RSA_PSS = "RSA-PSS"
#: Hashes by the names of the property, and by hashlib's.
_HASHES = {"SHA-224": "sha224", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
_SIGNED_WITH = "SHA-256"
#: Bytes read of a file with a key or a certificate.
_MOST_BYTES = 1 << 20

PemOrPath = str | bytes | os.PathLike[str]


class Signer:
    """A private key, and the ID of the certificate that belongs to it."""

    def __init__(self, key: PemOrPath, certificate_id: str | uuid.UUID, password: str | bytes | None = None) -> None:
        """
        Load *key*.

        Args:
            key: RSA key in PEM, or the path of a file with one.
            certificate_id: UUID of the certificate in the cloud's key manager.
            password: Of an encrypted key.

        Raises:
            InvalidRequest: One of them cannot be used.
        """
        self._certificate_id = _checked_id(certificate_id)
        self._key: RSAPrivateKey = _load_key(key, password)
        #: hashlib's name of the hash that is signed.
        self.algorithm = _HASHES[_SIGNED_WITH]

    def sign(self, digest: bytes) -> dict[str, str]:
        """Return the properties of an image whose data has *digest*."""
        return {
            SIGNATURE: base64.b64encode(self._key.sign(digest, *_scheme(_SIGNED_WITH))).decode(),
            HASH_METHOD: _SIGNED_WITH,
            KEY_TYPE: _RSA_PSS,
            CERTIFICATE_ID: self._certificate_id,
        }

    def sign_blocks(self, blocks: Iterable[bytes]) -> tuple[dict[str, str], str]:
        """Return the properties of an image with this data, and the data's hash, hexadecimal."""
        total = hashlib.new(self.algorithm)
        for block in blocks:
            total.update(block)
        return self.sign(total.digest()), total.hexdigest()


class Certificate:
    """A certificate that a caller trusts; its dates and who issued it do not count."""

    def __init__(self, certificate: PemOrPath) -> None:
        """
        Load *certificate*.

        Args:
            certificate: X.509 certificate in PEM, or the path of a file with one in PEM or DER.

        Raises:
            InvalidRequest: It is not one, or not of an RSA key.
        """
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import rsa

        self.name, content = _content(certificate, "certificate")
        try:
            load = x509.load_pem_x509_certificate if b"-----BEGIN" in content else x509.load_der_x509_certificate
            key: Any = load(content).public_key()
        except Exception as exc:
            raise exceptions.InvalidRequest(f"{self.name} is not an X.509 certificate in PEM or DER") from exc
        if not isinstance(key, rsa.RSAPublicKey):
            raise exceptions.InvalidRequest(f"{self.name} is not the certificate of an RSA key")
        self.key: RSAPublicKey = key


class Signature:
    """The signature that an image has, and the certificate to verify it with."""

    def __init__(self, image_id: str | None, properties: Mapping[str, Any], certificate: Certificate) -> None:
        """
        Read the signature from an image's properties.

        Raises:
            SignatureMismatch: It has none, or one that cannot be verified.
        """
        self._image_id = image_id
        self._certificate = certificate
        missing = [name for name in PROPERTIES if not properties.get(name)]
        if missing:
            raise exceptions.SignatureMismatch(
                f"Image {image_id} is not signed: it has no {', '.join(missing)}; get it without its signature verified"
            )
        self._method = str(properties[HASH_METHOD])
        if self._method not in _HASHES:
            raise self._unknown(HASH_METHOD, self._method, _HASHES)
        if properties[KEY_TYPE] != _RSA_PSS:
            raise self._unknown(KEY_TYPE, properties[KEY_TYPE], [_RSA_PSS])
        try:
            self._signature = base64.b64decode(str(properties[SIGNATURE]), validate=True)
        except (ValueError, binascii.Error) as exc:
            raise exceptions.SignatureMismatch(f"The {SIGNATURE} of image {image_id} is not base64") from exc
        #: hashlib's name of the hash that was signed.
        self.algorithm = _HASHES[self._method]

    def _unknown(self, name: str, value: object, known: Iterable[str]) -> exceptions.SignatureMismatch:
        return exceptions.SignatureMismatch(
            f"The signature of image {self._image_id} cannot be verified: its {name} is {value!r}, and only"
            f" {', '.join(known)} can be verified here"
        )

    def verify(self, digests: Mapping[str, str]) -> None:
        """
        Verify the signature.

        Args:
            digests: Algorithm to hexadecimal hash of the image's data; :attr:`algorithm` is among them.

        Raises:
            SignatureMismatch: The key of the certificate did not sign this data.
        """
        from cryptography.exceptions import InvalidSignature

        digest = bytes.fromhex(digests[self.algorithm])
        try:
            self._certificate.key.verify(self._signature, digest, *_scheme(self._method))
        except InvalidSignature as exc:
            raise exceptions.SignatureMismatch(
                f"The signature of image {self._image_id} is not of its data and the key of {self._certificate.name}:"
                " it is another certificate's, or someone changed the image"
            ) from exc


def needs_password(key: PemOrPath) -> bool:
    """Tell whether *key* is encrypted. Raises InvalidRequest if it cannot be read."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    _, content = _content(key, "key")
    try:
        load_pem_private_key(content, None)
    except TypeError:
        return True
    except Exception:  # noqa: BLE001 - what is wrong with it is said when it is loaded
        return False
    return False


def _load_key(key: PemOrPath, password: str | bytes | None) -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    name, content = _content(key, "key")
    secret = (password.encode() if isinstance(password, str) else password) or None
    if not needs_password(content):
        # A password that is not needed would be an error.
        secret = None
    elif secret is None:
        raise exceptions.InvalidRequest(f"{name} is encrypted: give its password")
    try:
        loaded = load_pem_private_key(content, secret)
    except Exception as exc:
        what = "cannot be decrypted with this password" if secret else "is not a private key in PEM"
        raise exceptions.InvalidRequest(f"{name} {what}") from exc
    if not isinstance(loaded, rsa.RSAPrivateKey):
        raise exceptions.InvalidRequest(f"{name} is not an RSA key; images are signed with RSA-PSS")
    return loaded


def _scheme(method: str) -> tuple[Any, Any]:
    """Return padding and hash of a signature, of which the digest is known."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, utils

    algorithm = getattr(hashes, method.replace("-", ""))()
    pss = padding.PSS(mgf=padding.MGF1(algorithm), salt_length=padding.PSS.MAX_LENGTH)
    return pss, utils.Prehashed(algorithm)


def _content(given: object, what: str) -> tuple[str, bytes]:
    """Return how to name a key or certificate in errors, and its bytes: those given, or those of a file."""
    if isinstance(given, bytes):
        return f"The {what}", given
    if isinstance(given, str) and "-----BEGIN" in given:
        return f"The {what}", given.encode()
    if not isinstance(given, (str, os.PathLike)):
        raise exceptions.InvalidRequest(f"The {what} must be PEM or a path, not {type(given).__name__}")
    try:
        with Path(given).expanduser().open("rb") as file:
            return str(given), file.read(_MOST_BYTES)
    except (OSError, ValueError, RuntimeError) as exc:
        reason = getattr(exc, "strerror", None) or exc
        raise exceptions.InvalidRequest(f"The {what} {given} cannot be read: {reason}") from exc


def _checked_id(certificate_id: object) -> str:
    try:
        uuid.UUID(str(certificate_id))
    except ValueError:
        raise exceptions.InvalidRequest(
            f"The ID of the certificate must be a UUID, of the cloud's key manager, not {certificate_id!r}"
        ) from None
    return str(certificate_id)
