"""Which cloud a command talks to: from options and variables to a connection."""

from __future__ import annotations

import dataclasses
import functools
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ecl.cli._words import hint

if TYPE_CHECKING:
    from types import FrameType

    from ecl.config import CloudConfig
    from ecl.connection import Connection
    from ecl.image.v2._proxy import Proxy

__all__ = ["Cloud", "Given", "given", "pass_cloud"]

R = TypeVar("R")

_META = "ecl.given"

# Options that older tools took, and that have nothing to say to us any more.
_IGNORED = frozenset(
    {
        "beta_command", "compute_api_version", "default_domain", "identity_api_version", "image_api_version",
        "network_api_version", "object_api_version", "profile", "volume_api_version",
    }
)  # fmt: skip
#: Settings of a connection, beside the options of the authentication type.
_SETTINGS = frozenset(
    {
        "auth_type", "cacert", "cert", "cloud", "image_endpoint_override", "insecure", "interface", "key",
        "region_name", "verify",
    }
)  # fmt: skip
_OLD_NAMES = {"endpoint_type": "interface", "auth_plugin": "auth_type", "image_url": "image_endpoint_override"}


@dataclass
class Given:
    """What was said on the command line beside the command's own options, wherever it stood."""

    #: ``--os-NAME VALUE``, by name with underscores.
    options: dict[str, Any] = field(default_factory=dict)
    debug: bool = False
    timing: bool = False
    token_cache: bool = True


def given(ctx: click.Context) -> Given:
    """Return what was given so far on this command line."""
    found = ctx.meta.setdefault(_META, Given())
    assert isinstance(found, Given)
    return found


class Cloud:
    """One cloud, connected to when a command first asks it for something."""

    def __init__(self, settings: Given) -> None:
        self.given = settings
        self._others: list[Cloud] = []

    @functools.cached_property
    def config(self) -> CloudConfig:
        """
        The configuration, from options, variables and clouds.yaml.

        Raises:
            ConfigException: There is none, or it cannot be used.
            UsageError: An option is not one of the authentication type.
        """
        from ecl import config

        options = {
            _OLD_NAMES.get(name, name): value for name, value in self.given.options.items() if name not in _IGNORED
        }
        name = options.pop("cloud", None)
        region = options.pop("region_name", None)
        if name is None and not os.environ.get("OS_CLOUD") and {"auth_url", "endpoint"} & options.keys():
            # Where an address is given, it is not the only cloud of clouds.yaml that is meant.
            name = config.ENVIRONMENT_CLOUD
        loaded = config.load(name, region_name=region, overrides=options)
        _check_options(loaded.auth_type, options.keys() - _SETTINGS)
        return _with_secret(loaded)

    @functools.cached_property
    def connection(self) -> Connection:
        """The connection; nothing is sent for it."""
        from ecl import _auth, connection

        def make() -> Any:
            return _auth.make_plugin(self.config.auth_type, self.config.auth)

        if self.given.token_cache:
            from ecl.cli import _token_cache

            plugin = _token_cache.cached(self.config, make)
        else:
            plugin = make()
        made = connection.from_config(cloud_config=self.config, authenticator=plugin)
        # The session takes this as an argument only; which session is made, the connection decides.
        made.session._collect_timing = self.given.timing
        return made

    @property
    def image(self) -> Proxy:
        """The image service."""
        return self.connection.image

    @property
    def session(self) -> Any:
        """The session, of keystoneauth1."""
        return self.connection.session

    @property
    def project_id(self) -> str:
        """
        The project that the user is logged in to.

        Raises:
            UsageError: The log-in is for no project.
        """
        from ecl import _http

        with _http.translated():
            found = self.session.get_project_id()
        if not found:
            raise click.UsageError("The log-in is for no project: give --os-project-id.")
        return str(found)

    def other(self, name: str, region: str | None = None) -> Cloud:
        """Return the cloud *name* of clouds.yaml, in the same manner, but with nothing of this one's options."""
        options = {"cloud": name, **({"region_name": region} if region else {})}
        made = Cloud(dataclasses.replace(self.given, options=options))
        self._others.append(made)
        return made

    def close(self) -> None:
        """Close the connections to this cloud, and to others that were taken from it."""
        for each in (self, *self._others):
            if "connection" in each.__dict__:
                each.session.session.close()

    def print_timings(self) -> None:
        """Write how long each request took to stderr."""
        if "connection" not in self.__dict__:
            return
        total = 0.0
        for each in self.session.get_timings():
            seconds = each.elapsed.total_seconds()
            total += seconds
            click.echo(f"{seconds:8.3f} s  {each.method} {each.url}", err=True)
        click.echo(f"{total:8.3f} s  in all", err=True)


def pass_cloud(command: Callable[..., R]) -> Callable[..., R]:
    """Give *command* the cloud that the command line names, as its first argument."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> R:
        settings = given(click.get_current_context())
        _end_with_terminal()
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


def _end_with_terminal() -> None:
    """Let a closed terminal end the command as Ctrl-C does, unless nohup or the like has SIGHUP ignored."""

    def end(number: int, frame: FrameType | None) -> None:
        # A shell sends the signal again, in the middle of the cleaning up.
        signal.signal(number, signal.SIG_IGN)
        signal.default_int_handler(number, frame)

    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:
        signal.signal(signal.SIGHUP, end)


def _check_options(auth_type: str, names: set[str]) -> None:
    """Refuse ``--os-NAME`` that neither a connection nor the authentication type knows."""
    if not names:
        return
    from ecl import _auth

    known = _auth.option_names(auth_type)
    for name in sorted(names - known):
        word = "--os-" + name.replace("_", "-")
        words = ["--os-" + each.replace("_", "-") for each in sorted(known | _SETTINGS)]
        raise click.UsageError(f"Authentication type {auth_type!r} has no option {word}; {hint(word, words)}")


def _with_secret(config: CloudConfig) -> CloudConfig:
    """Fill in the password or secret that the file leaves out: from its variable, or by asking on a terminal."""
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
