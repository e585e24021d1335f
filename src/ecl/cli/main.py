"""
The command ``ecl``: its subcommands, and how it ends.

A subcommand's module is imported when the subcommand runs, so ``ecl --help`` loads only click. Exit codes: 0 success,
1 failure, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import atexit
import gc
import os
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

#: For each subcommand: where it is defined, and its line in ``ecl --help``.
COMMANDS = {
    "image": ("ecl.cli.image:image", "Work with images: list, show, create, copy, share and more."),
    "token": ("ecl.cli.identity:token", "Log in and show the token."),
    "catalog": ("ecl.cli.identity:catalog", "List the services of the cloud."),
    "completion": ("ecl.cli.completion:completion", "Print the completion script for a shell."),
    "demo": ("ecl.cli.demo:demo", "Run a demonstration on this machine; leaves nothing behind."),
    "serve": ("ecl.cli.serve:serve", "Run the embedded image service; manage its users and projects."),
}


def _common(*names: str, metavar: str | None = None, help: str) -> Callable[[C], C]:
    # take_common_options removes these before click parses; declared here for --help and completion.
    return click.option(*names, metavar=metavar, is_flag=metavar is None, expose_value=False, help=help)


@click.group(cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ecl", message="%(prog)s %(version)s")
@_common("--os-cloud", metavar="NAME", help="Cloud in clouds.yaml.  [OS_CLOUD]")
@_common("--os-region-name", metavar="NAME", help="Region of the cloud.  [OS_REGION_NAME]")
@_common(
    "--os-auth-type",
    metavar="TYPE",
    help="How to log in: password, token, v3applicationcredential …  [OS_AUTH_TYPE]",
)
@_common("--os-auth-url", metavar="URL", help="Address of Keystone.  [OS_AUTH_URL]")
@_common("--os-username", metavar="NAME", help="User name, or ECL's API key.  [OS_USERNAME]")
@_common("--os-password", metavar="TEXT", help="Password, or ECL's API secret key.  [OS_PASSWORD]")
@_common("--os-project-id", metavar="ID", help="Project (tenant).  [OS_PROJECT_ID]")
@_common("--os-OPTION", metavar="VALUE", help="Any other option of the authentication type.  [OS_OPTION]")
@_common("--os-cacert", metavar="FILE", help="PEM file with the CA certificates to trust.  [OS_CACERT]")
@_common("--insecure", help="Do not check the service's certificate.  [OS_INSECURE]")
@_common("--no-token-cache", help="Log in without the token cache.")
@_common("--timing", help="Show how long each request took.")
@_common("--debug", help="Show requests (secrets masked), and the traceback of an error.")
def cli() -> None:
    """
    Manage images on NTT Enterprise Cloud 2.0 / SDPF and any OpenStack Glance v2 cloud.

    The options below can stand before or after a subcommand. Without them, the cloud comes from the OS_* variables and
    clouds.yaml.
    """


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    _streams.prepare()
    # At its end Python would search all objects for garbage three times, which takes a tenth of a short command.
    atexit.register(gc.freeze)
    if "_ECL_COMPLETE" in os.environ:
        from ecl.cli import _shells

        _shells.register()
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
        from ecl.cli._errors import Interrupted, shortened

        word = "Interrupted" if isinstance(exc, Interrupted) else "Error"
        _streams.tell(f"{word}: {shortened(exc.format_message())}")
        return exc.exit_code
    except BrokenPipeError:
        # The reader of our output has closed it.
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
    from ecl.cli._errors import one_line

    text = one_line(exc.format_message())
    where = f" ({exc.ctx.command_path} --help)" if exc.ctx is not None else ""
    return f"Error: {text}{where}"
