"""``ecl token issue`` and ``ecl catalog list``: the token and the service catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command, LazyGroup
from ecl.cli._output import Column, Output, listing, showing

if TYPE_CHECKING:
    from keystoneauth1.access import AccessInfo

__all__ = ["catalog", "catalog_list", "token", "token_issue"]


@click.group(cls=LazyGroup, table={"issue": ("ecl.cli.identity:token_issue", "Log in and show the token.")})
def token() -> None:
    """Log in and show the token."""


@click.group(cls=LazyGroup, table={"list": ("ecl.cli.identity:catalog_list", "List the services and their addresses.")})
def catalog() -> None:
    """List the services of the cloud."""


@click.command("issue", cls=Command)
@showing
@pass_cloud
def token_issue(cloud: Cloud, out: Output) -> None:
    """
    Log in and show the token.

    A cached token that is still valid is shown instead; --no-token-cache always logs in.
    """
    access = _access(cloud)
    out.fields(
        {
            "expires": access.expires.strftime("%Y-%m-%dT%H:%M:%SZ") if access.expires else None,
            "id": access.auth_token,
            "project_id": access.project_id,
            "user_id": access.user_id,
        }
    )


@click.command("list", cls=Command)
@listing
@pass_cloud
def catalog_list(cloud: Cloud, out: Output) -> None:
    """List the services of the cloud and their addresses in each region."""
    access = _access(cloud)
    names = {service["type"]: service.get("name") for service in access.service_catalog.catalog}
    rows = [
        {
            "name": names.get(kind),
            "type": kind,
            "endpoints": [
                {"region": endpoint.region_name, "interface": endpoint.interface, "url": endpoint.url}
                for endpoint in endpoints
            ],
        }
        for kind, endpoints in access.service_catalog.get_endpoints_data().items()
    ]
    out.rows([Column("name", "Name"), Column("type", "Type"), Column("endpoints", "Endpoints")], rows)


def _access(cloud: Cloud) -> AccessInfo:
    """Log in. Raises UsageError if the authentication type has no token."""
    from ecl import _http

    get_access = getattr(cloud.session.auth, "get_access", None)
    if get_access is None:
        raise click.UsageError(f"Authentication type {cloud.config.auth_type!r} does not get a token from Keystone.")
    with _http.translated():
        found: AccessInfo = get_access(cloud.session)
    return found
