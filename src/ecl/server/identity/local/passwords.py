"""Passwords and secrets: hash them, check them and generate them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

__all__ = ["COST", "NO_PASSWORD", "generate_password", "hash_password", "is_weaker", "random_text", "verify_password"]

#: scrypt's parameters as OWASP advises them: N is two to the power of the cost. A hash takes 128 * N * R bytes
#: (128 MiB) of memory and about 0.3 s of one core.
COST = 17
R, P = 8, 1
#: No password matches this hash: for users who never log in.
NO_PASSWORD = "!"  # noqa: S105


def generate_password() -> str:
    """Return a new random password of 144 bits, in characters that need no quoting."""
    return random_text(18)


def random_text(size: int) -> str:
    """Return *size* random bytes as text that needs no quoting and does not look like an option."""
    while (text := secrets.token_urlsafe(size)).startswith("-"):
        pass
    return text


def hash_password(password: str, cost: int = COST) -> str:
    """Return the hash of *password* to store: ``scrypt$n$r$p$salt$key``."""
    salt = secrets.token_bytes(16)
    key = _scrypt(password, salt, 2**cost, R, P)
    return f"scrypt${2**cost}${R}${P}${_text(salt)}${_text(key)}"


def is_weaker(stored: str, cost: int) -> bool:
    """Return True if the hash *stored* was made with less than *cost*."""
    return stored != NO_PASSWORD and int(stored.split("$")[1]) < 2**cost


def verify_password(password: str, stored: str | None, cost: int = COST) -> bool:
    """
    Return True if *stored* was made from *password*.

    For None (no such user) and `NO_PASSWORD` it returns False after the same time as for a wrong password, so that
    the time does not tell which users exist; a wrong password for a hash of less than *cost* takes that time, too.
    """
    if stored is None or stored == NO_PASSWORD:
        _scrypt(password, b"nobody at all...", 2**cost, R, P)
        return False
    _, n, r, p, salt, key = stored.split("$")
    computed = _scrypt(password, base64.b64decode(salt), int(n), int(r), int(p))
    is_right = hmac.compare_digest(computed, base64.b64decode(key))
    if not is_right and is_weaker(stored, cost):
        _scrypt(password, b"nobody at all...", 2**cost, R, P)
    return is_right


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    # maxmem is twice what scrypt needs: OpenSSL counts its own book-keeping, too.
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"), salt=salt, n=n, r=r, p=p, maxmem=256 * n * r * p, dklen=32
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
