"""What the drivers of OpenStack's own services share."""

from keystoneauth1 import loading
from keystoneauth1.session import Session
from keystonemiddleware.auth_token._request import _normalize_catalog


def context_of(kind, login):
    """Return a request's context as the middleware in front of the services makes it from a user's token."""
    auth = loading.get_plugin_loader("password").load_from_options(**login["auth"])
    access = auth.get_access(Session())
    return kind(
        auth_token=access.auth_token,
        user_id=access.user_id,
        project_id=access.project_id,
        service_catalog=_normalize_catalog(access.service_catalog.catalog),
    )


def error_of(call, *args):
    """Return the name of the exception that a call raises."""
    try:
        call(*args)
    except Exception as exc:
        return type(exc).__name__
    return None
