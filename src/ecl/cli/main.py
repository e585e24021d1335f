"""
The command ``ecl``: which subcommands there are, and how errors end.

A subcommand's module is imported when the subcommand runs, so ``ecl --help`` loads click alone. Exit codes: 0 done,
1 it did not work, 2 it was asked for wrongly, 130 interrupted.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import warnings
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import click

from ecl.cli import _streams
from ecl.cli._command import LazyGroup
from ecl.version import __version__

__all__ = ["COMMANDS", "LazyGroup", "cli", "main"]

C = TypeVar("C", bound=Callable[..., Any])

#: Each subcommand: where it is, and its line in ``ecl --help``.
COMMANDS = {
    "image": ("ecl.cli.image:image", "Images: list, show, create, copy, share and all else."),
    "token": ("ecl.cli.identity:token", "The token that a log-in gives."),
    "catalog": ("ecl.cli.identity:catalog", "The services that the cloud has."),
    "completion": ("ecl.cli.completion:completion", "Print what makes a shell complete this command."),
    "demo": ("ecl.cli.demo:demo", "Show everything once, on this machine, and leave nothing behind."),
    "serve": ("ecl.cli.serve:serve", "Run the embedded image service; manage its users and projects."),
}


def _common(*names: str, metavar: str | None = None, help: str) -> Callable[[C], C]:
    # Taken out of the words before click sees them (see _command); declared here to be shown and completed.
    return click.option(*names, metavar=metavar, is_flag=metavar is None, expose_value=False, help=help)


@click.group(cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ecl", message="%(prog)s %(version)s")
@_common("--os-cloud", metavar="NAME", help="A cloud of clouds.yaml.  [OS_CLOUD]")
@_common("--os-region-name", metavar="NAME", help="A region of the cloud.  [OS_REGION_NAME]")
@_common("--os-auth-type", metavar="TYPE", help="password, token, v3applicationcredential …  [OS_AUTH_TYPE]")
@_common("--os-auth-url", metavar="URL", help="The address of Keystone.  [OS_AUTH_URL]")
@_common("--os-username", metavar="NAME", help="The user, or ECL's API key.  [OS_USERNAME]")
@_common("--os-password", metavar="TEXT", help="The password, or the API secret key.  [OS_PASSWORD]")
@_common("--os-project-id", metavar="ID", help="The project, or tenant.  [OS_PROJECT_ID]")
@_common("--os-OPTION", metavar="VALUE", help="Any other option of the authentication type.  [OS_OPTION]")
@_common("--os-cacert", metavar="FILE", help="Certificates to trust.  [OS_CACERT]")
@_common("--insecure", help="Do not check the service's certificate.  [OS_INSECURE]")
@_common("--no-token-cache", help="Log in anew, and keep no token.")
@_common("--timing", help="Show how long each request took.")
@_common("--debug", help="Show requests (secrets masked), and the traceback of an error.")
def cli() -> None:
    """
    Images for NTT Enterprise Cloud 2.0 / SDPF and any OpenStack Glance v2 cloud.

    The options below may stand before or behind a subcommand. Without any, OS_* variables and clouds.yaml say which
    cloud is meant.
    """


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    _streams.prepare()
    warnings.showwarning = _show_warning
    # SIGTERM must not leave a half-made image either.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = _run(debug="--debug" in sys.argv)
    finally:
        _streams.silence_broken()
    sys.exit(code)


def _run(debug: bool) -> int:
    """Run the command line, say what went wrong, and return the exit code."""
    try:
        code = cli.main(prog_name="ecl", standalone_mode=False)
        sys.stdout.flush()
    except (click.exceptions.Abort, KeyboardInterrupt) as exc:
        if debug and isinstance(exc, KeyboardInterrupt):
            raise
        _streams.tell(" ".join(["Interrupted.", *getattr(exc, "__notes__", ())]))
        return 130
    except click.exceptions.Exit as exc:
        return exc.exit_code
    except click.UsageError as exc:
        _streams.tell(_usage(exc))
        return exc.exit_code
    except click.ClickException as exc:
        with contextlib.suppress(OSError):
            exc.show()
        return exc.exit_code
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        return 1
    except Exception as exc:
        if debug:
            raise
        from ecl.cli._errors import describe, exit_code

        _streams.tell(f"Error: {describe(exc)}")
        return exit_code(exc)
    return code if isinstance(code, int) else 0


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    _streams.tell(f"Warning: {message}")


def _usage(exc: click.UsageError) -> str:
    if isinstance(exc, click.exceptions.NoArgsIsHelpError):
        return exc.format_message()
    text = " ".join(exc.format_message().split())
    where = f" ({exc.ctx.command_path} --help)" if exc.ctx is not None else ""
    return f"Error: {text}{where}"
