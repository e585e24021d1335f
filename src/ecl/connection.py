"""The way in: a connection has a session and, as an attribute, each service."""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ecl import config
from ecl import profile as _profile

if TYPE_CHECKING:
    from keystoneauth1.plugin import BaseAuthPlugin
    from keystoneauth1.session import Session as KeystoneSession

    from ecl.image.v2._proxy import Proxy

__all__ = ["Connection", "connect", "from_config"]


class Connection:
    """
    A connection to one cloud, as one user in one project.

    ::

        conn = Connection(auth_url="https://keystone-jp1-ecl.api.ntt.com/v3/", username=API_KEY,
                          password=API_SECRET_KEY, project_id=TENANT_ID)
        for image in conn.image.images():
            print(image.name)

    Nothing is sent before the first call of a service.
    """

    def __init__(
        self,
        session: KeystoneSession | None = None,
        authenticator: BaseAuthPlugin | None = None,
        profile: _profile.Profile | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        user_agent: str | None = None,
        auth_plugin: str = "password",
        timeout: float | None = None,
        *,
        region_name: str | None = None,
        interface: str | list[str] | None = None,
        cacert: str | None = None,
        endpoint_overrides: dict[str, str] | None = None,
        **auth_args: Any,
    ) -> None:
        """
        Describe the connection.

        Args:
            session: Use this session or adapter (ecl's or any of keystoneauth1), or that of another connection. Of
                the other arguments only *profile*, *region_name*, *interface* and *endpoint_overrides* count then.
            authenticator: A keystoneauth1 plugin, instead of *auth_plugin* and its options.
            profile: Region, interface, name and version to prefer for each service.
            verify: True, False, or the path of a CA bundle.
            cert: Path of a client certificate, or of one and its key.
            user_agent: Put before this library's own in the User-Agent header.
            auth_plugin: Authentication type: ``password``, ``token``, ``v3applicationcredential`` …
            timeout: Seconds of silence from the service to allow; None takes the library's default (60 seconds,
                and ten minutes while an image is finished), 0 waits for ever.
            region_name: Region to prefer for every service.
            interface: ``public``, ``internal`` or ``admin``, or several in the order of preference.
            cacert: Path of a CA bundle, as *verify*.
            endpoint_overrides: Service type to address, for services that the catalog does not have right.
            auth_args: Options of the authentication type: *auth_url*, *username*, *password*, *project_id* …

        Raises:
            ConfigException: The authentication type is unknown, or lacks an option.
        """
        # keystoneauth1 and requests take most of the time of an import; they are loaded by who makes a connection.
        from ecl import _auth
        from ecl import session as _session

        self.profile = profile or _profile.Profile()
        if region_name is not None or interface is not None:
            # The caller's own may be used for other connections, too.
            self.profile = copy.deepcopy(self.profile)
        if region_name is not None:
            self.profile.set_region(self.profile.ALL, region_name)
        if interface is not None:
            self.profile.set_interface(self.profile.ALL, interface)
        self.authenticator = authenticator
        if session is None:
            if authenticator is None:
                self.authenticator = _auth.make_plugin(auth_plugin, auth_args)
            session = _session.Session(
                self.profile,
                auth=self.authenticator,
                verify=cacert if cacert and verify is True else verify,
                cert=cert,
                user_agent=user_agent,
                timeout=timeout,
                endpoint_overrides=endpoint_overrides,
            )
        else:
            session = _session.with_preferences(_session.as_session(session), self.profile, endpoint_overrides or {})
        self.session = session

    @functools.cached_property
    def image(self) -> Proxy:
        """The image service."""
        from ecl.image.v2._proxy import Proxy

        return Proxy(self.session)

    def close(self) -> None:
        """Close the connections that are kept for later requests; the next request opens new ones."""
        from ecl import _http

        # The session of requests below keystoneauth1's; one that came from elsewhere may have none.
        inner: Any = getattr(_http.below_adapter(self.session), "session", None)
        if hasattr(inner, "close"):
            inner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def authorize(self) -> str | None:
        """
        Log in now, and return the token.

        Raises:
            UnauthorizedException: The credentials are not accepted.
            ConnectFailure: There was no answer.
        """
        from ecl import _http

        with _http.translated():
            headers = self.session.get_auth_headers()
        return headers.get("X-Auth-Token") if headers else None


#: Arguments of connect() that no file has.
_OWN = ("authenticator", "user_agent", "timeout", "endpoint_overrides")


def connect(
    cloud: str | None = None, *, region_name: str | None = None, profile: _profile.Profile | None = None, **args: Any
) -> Connection:
    """
    Connect to a cloud of clouds.yaml, to the one that OS_* variables describe, or to one given by arguments.

    ::

        ecl.connect("jp1").image.images()
        ecl.connect(auth_url=…, username=…, password=…, project_id=…)

    Args:
        cloud: Name in clouds.yaml; see :func:`ecl.config.load` for what is taken without it.
        region_name: Instead of the configuration's.
        profile: Preferences for each service.
        args: Options of the authentication, which count over the configuration's; given *auth_url* (or *endpoint*)
            and no *cloud*, no file and no variable is read. The other arguments of :class:`Connection`, too.

    Raises:
        ConfigException: No such cloud, or its configuration cannot be used.
    """
    if cloud is None and ({"session", "authenticator"} & args.keys()):
        return Connection(region_name=region_name, profile=profile, **args)
    if "auth_plugin" in args:
        args["auth_type"] = args.pop("auth_plugin")
    own: dict[str, Any] = {key: args.pop(key) for key in _OWN if key in args}
    if cloud is None and ({"auth_url", "endpoint"} & args.keys()):
        loaded = config.from_mapping("arguments", {}, region_name=region_name, overrides=args)
    else:
        loaded = config.load(cloud, region_name=region_name, overrides=args)
    return _from(loaded, profile, own)


def from_config(
    cloud_name: str | None = None, cloud_config: Any = None, options: Any = None, **args: Any
) -> Connection:
    """
    Connect to a cloud of clouds.yaml, in the way that eclsdk's users know.

    Args:
        cloud_name: Name in clouds.yaml.
        cloud_config: A :class:`~ecl.config.CloudConfig`, or a cloud of ``openstack.config`` or
            ``os_client_config``, instead of the name.
        options: An argparse Namespace; of it count ``cloud`` (``os_cloud``) and ``region_name``
            (``os_region_name``).
        args: As for :func:`connect`.

    Raises:
        ConfigException: No such cloud, or its configuration cannot be used.
    """
    if isinstance(cloud_config, config.CloudConfig):
        return _from(cloud_config, None, args)
    if cloud_config is not None:
        return _from(_foreign(cloud_config), None, args)
    cloud = cloud_name or _option(options, "cloud")
    return connect(cloud, region_name=_option(options, "region_name"), **args)


def _from(loaded: config.CloudConfig, profile: _profile.Profile | None, own: Mapping[str, Any]) -> Connection:
    wanted = _profile.for_cloud(loaded, profile, own.get("region_name"))
    override = loaded.image_endpoint_override
    arguments: dict[str, Any] = {
        "verify": loaded.verify,
        "cert": loaded.cert,
        "timeout": loaded.timeout,
        "endpoint_overrides": {"image": override} if override else None,
        **{key: value for key, value in own.items() if key != "region_name"},
    }
    if "authenticator" not in arguments:
        from ecl import _auth

        arguments["authenticator"] = _auth.make_plugin(loaded.auth_type, loaded.auth)
    return Connection(profile=wanted, **arguments)


def _option(options: object, name: str) -> str | None:
    return getattr(options, name, None) or getattr(options, f"os_{name}", None)


def _foreign(cloud: Any) -> config.CloudConfig:
    """Read the cloud object of another library, by the mapping ``config`` that all of them have."""
    # Vendor profiles have been filled in already.
    entry = {key: value for key, value in cloud.config.items() if key not in ("profile", "cloud", "regions")}
    return config.from_mapping(str(getattr(cloud, "name", "cloud")), entry, region_name=cloud.region_name)
