"""The cloud that a command talks to: from options and variables to a connection."""

from __future__ import annotations

import dataclasses
import functools
import os
import sys
from collections.abc import Callable, Collection, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ecl.cli import _signals
from ecl.cli._suggest import hint

if TYPE_CHECKING:
    from ecl._http.direct import DirectSession
    from ecl.config import CloudConfig
    from ecl.connection import Connection
    from ecl.image.v2._proxy import Proxy

__all__ = ["Cloud", "Given", "given", "pass_cloud"]

R = TypeVar("R")

_META = "ecl.given"

# Options of older tools, accepted and ignored.
_IGNORED = frozenset(
    {
        "beta_command", "compute_api_version", "default_domain", "identity_api_version", "image_api_version",
        "network_api_version", "object_api_version", "profile", "volume_api_version",
    }
)  # fmt: skip
_OLD_NAMES = {"endpoint_type": "interface", "auth_plugin": "auth_type", "image_url": "image_endpoint_override"}


@dataclass
class Given:
    """The common options of this command line; they can stand in any position."""

    #: ``--os-NAME VALUE``, by name with underscores.
    options: dict[str, Any] = field(default_factory=dict)
    debug: bool = False
    timing: bool = False
    token_cache: bool = True


def given(ctx: click.Context) -> Given:
    """Return the common options parsed so far on this command line."""
    found = ctx.meta.setdefault(_META, Given())
    assert isinstance(found, Given)
    return found


class Cloud:
    """One cloud. The connection is made when a command first needs it."""

    def __init__(self, settings: Given) -> None:
        self.given = settings
        self._others: list[Cloud] = []

    @functools.cached_property
    def config(self) -> CloudConfig:
        """
        The configuration, from options, variables and clouds.yaml.

        Raises:
            ConfigException: There is no configuration, or it is not usable.
            UsageError: The authentication type does not have one of the options.
        """
        from ecl import config

        options = {
            _OLD_NAMES.get(name, name): value for name, value in self.given.options.items() if name not in _IGNORED
        }
        name = options.pop("cloud", None)
        region = options.pop("region_name", None)
        if name is None and not os.environ.get("OS_CLOUD") and {"auth_url", "endpoint"} & options.keys():
            # With an address on the command line, do not fall back to the only cloud in clouds.yaml.
            name = config.ENVIRONMENT_CLOUD
        loaded = config.load(name, region_name=region, overrides=options, variables_count=True)
        _check_options(loaded.auth_type, options.keys() - config.SETTINGS, loaded.auth.get("auth_methods", ()))
        return _with_secret(loaded)

    @functools.cached_property
    def connection(self) -> Connection:
        """The connection. Creating it sends nothing."""
        from ecl import _auth, connection

        if not self.given.debug:
            import logging

            # It would warn of a failed discovery, on a line of its own before the error that says what to do.
            logging.getLogger("keystoneauth").setLevel(logging.ERROR)

        def make() -> Any:
            return _auth.make_plugin(self.config.auth_type, self.config.auth)

        if self.given.token_cache:
            from ecl.cli import _cached_auth

            plugin = _cached_auth.cached(self.config, make)
        else:
            plugin = make()
        made = connection.from_config(cloud_config=self.config, authenticator=plugin)
        # keystoneauth1 takes this only as an argument of the session, which the connection creates.
        made.session._collect_timing = self.given.timing
        return made

    @functools.cached_property
    def image(self) -> Proxy:
        """The image service, without keystoneauth1 if its token is cached and nothing else needs it."""
        if self._direct is None:
            return self.connection.image
        from ecl.image.v2._proxy import Proxy

        return Proxy(self._direct)

    @functools.cached_property
    def _direct(self) -> DirectSession | None:
        if not self.given.token_cache or self.given.debug or self.given.timing:
            return None
        from ecl.cli import _direct

        return _direct.session_for(self.config, lambda: self.connection.session)

    @property
    def session(self) -> Any:
        """The session, of keystoneauth1."""
        return self.connection.session

    @property
    def project_id(self) -> str:
        """
        ID of the project that the user is logged in to.

        Raises:
            UsageError: The token has no project.
        """
        from ecl import _http

        with _http.translated():
            found = (self._direct or self.session).get_project_id()
        if not found:
            raise click.UsageError("You are not logged in to a project: give --os-project-id.")
        return str(found)

    def other(self, name: str, region: str | None = None) -> Cloud:
        """Return cloud *name* from clouds.yaml, without this command's own options."""
        options = {"cloud": name, **({"region_name": region} if region else {})}
        made = Cloud(dataclasses.replace(self.given, options=options))
        self._others.append(made)
        return made

    def close(self) -> None:
        """Close the connections to this cloud and to those that :meth:`other` returned."""
        for each in (self, *self._others):
            if "connection" in each.__dict__:
                each.session.session.close()
            if (direct := each.__dict__.get("_direct")) is not None:
                direct.close()

    def print_timings(self) -> None:
        """Write the duration of each request to stderr."""
        if "connection" not in self.__dict__:
            return
        total = 0.0
        for each in self.session.get_timings():
            seconds = each.elapsed.total_seconds()
            total += seconds
            click.echo(f"{seconds:8.3f} s  {each.method} {each.url}", err=True)
        click.echo(f"{total:8.3f} s  in total", err=True)


def pass_cloud(command: Callable[..., R]) -> Callable[..., R]:
    """Pass the cloud chosen on the command line to *command*, as its first argument."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> R:
        settings = given(click.get_current_context())
        _signals.prepare()
        cloud = Cloud(settings)
        if settings.debug:
            from ecl import utils

            utils.enable_logging(debug=True, stream=sys.stderr)
        try:
            return command(cloud, *args, **kwargs)
        finally:
            if settings.timing:
                cloud.print_timings()
            cloud.close()

    return run


def _check_options(auth_type: str, names: Set[str], methods: Collection[str]) -> None:
    """Refuse an option ``--os-NAME`` that neither the connection nor the authentication type has."""
    if not names:
        return
    from ecl import _auth, config

    known = _auth.option_names(auth_type, methods)
    for name in sorted(names - known):
        word = "--os-" + name.replace("_", "-")
        words = ["--os-" + each.replace("_", "-") for each in sorted(known | config.SETTINGS | {"cloud"})]
        raise click.UsageError(f"Authentication type {auth_type!r} has no option {word}; {hint(word, words)}")


def _with_secret(config: CloudConfig) -> CloudConfig:
    """Fill in a password or secret missing from clouds.yaml: from its variable, or by asking on the terminal."""
    wanted = {"password": "password", "v3password": "password"}.get(config.auth_type)
    if config.auth_type == "v3applicationcredential":
        wanted = "application_credential_secret"
    if wanted is None or config.auth.get(wanted):
        return config
    found = os.environ.get(f"OS_{wanted.upper()}")
    if not found and sys.stdin.isatty() and sys.stderr.isatty():
        label = wanted.replace("_", " ").capitalize()
        found = str(click.prompt(f"{label} for {config.name}", hide_input=True, err=True))
    return dataclasses.replace(config, auth={**config.auth, wanted: found}) if found else config
