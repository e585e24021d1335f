"""This library's exceptions instead of those of keystoneauth1 and requests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ecl import exceptions

__all__ = ["is_no_endpoint", "is_silence", "is_untrusted", "reason", "translated"]


@contextmanager
def translated() -> Iterator[None]:
    """Turn what keystoneauth1 and requests raise into this library's exceptions."""
    try:
        yield
    except exceptions.SDKException:
        raise
    except Exception as exc:
        from ecl._http import translation

        found = translation.translate(exc)
        if found is None:
            raise
        raise found from exc


def is_no_endpoint(exc: Exception) -> bool:
    """Tell whether *exc* is keystoneauth1's word for a catalog without such an endpoint."""
    from ecl._http import translation

    return translation.is_no_endpoint(exc)


def is_silence(exc: BaseException) -> bool:
    """Tell whether *exc* comes from a service that took a connection and then did not answer in time."""
    from ecl._http import translation

    return translation.is_silence(exc)


def is_untrusted(exc: exceptions.SDKException) -> bool:
    """Tell whether *exc* comes from a certificate that is not accepted."""
    from ecl._http import translation

    return translation.is_untrusted(exc)


def reason(exc: BaseException) -> str | None:
    """Find the system's own words in a chain of wrappers: ``Connection refused``."""
    from ecl._http import translation

    return translation.reason(exc)
