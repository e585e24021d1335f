"""Keys and certificates, for tests of signed images."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

__all__ = ["CERTIFICATE_ID", "KeyPair", "make_key_pair"]

#: Of a certificate in a key manager that no test has.
CERTIFICATE_ID = "c5b8c1f4-9b0a-4d0c-8a53-0d0ff3b8e111"


@dataclass(frozen=True)
class KeyPair:
    """The paths of a key, of the same key encrypted, and of its certificate in two forms."""

    key: Path
    encrypted: Path
    password: str
    certificate: Path
    der: Path


def make_key_pair(folder: Path, name: str, *, elliptic: bool = False) -> KeyPair:
    """Make a key and a certificate that ended long ago."""
    key = ec.generate_private_key(ec.SECP256R1()) if elliptic else rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    start = datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    made = KeyPair(*(folder / f"{name}{end}" for end in (".key", ".locked")), "open sesame",
                   *(folder / f"{name}{end}" for end in (".pem", ".der")))  # fmt: skip
    for path, lock in (
        (made.key, serialization.NoEncryption()),
        (made.encrypted, serialization.BestAvailableEncryption(made.password.encode())),
    ):
        path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock))
    made.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    made.der.write_bytes(certificate.public_bytes(serialization.Encoding.DER))
    return made
