"""The check of the Keystone at start."""

from __future__ import annotations

from ecl.server.process.start_error import StartError
from ecl.server.settings.keystone import v3_url
from ecl.server.settings.model import Settings

__all__ = ["check_keystone"]


def check_keystone(settings: Settings) -> None:
    """
    Log in to the Keystone of the settings, if they have one.

    Raises:
        StartError: It does not answer, or refuses the service's user.
    """
    keystone = settings.keystone
    if keystone is None:
        return
    # Imported here, because other services start without the SDK.
    from keystoneauth1.exceptions import SSLError

    from ecl import exceptions
    from ecl.server.identity.keystone.client import KeystoneClient

    url = v3_url(keystone.auth_url)
    try:
        KeystoneClient(keystone).log_in()
    except exceptions.UnauthorizedException as exc:
        raise StartError(
            f"The Keystone at {url} refuses the user {keystone.username} on the project {keystone.project_name}: check "
            "username, project_name, their domains and password_file in [keystone]."
        ) from exc
    except exceptions.SDKException as exc:
        if isinstance(exc.cause, SSLError):
            raise StartError(
                f"The certificate of the Keystone at {url} is not accepted: name the CA that signed it as cacert in "
                "[keystone]."
            ) from exc
        raise StartError(f"The Keystone at {url} cannot be used: {exc.message.rstrip('.')}.") from exc
