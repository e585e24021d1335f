"""
The command ``ecl``: which subcommands there are, and how errors end.

A subcommand's module is imported when the subcommand runs, so ``ecl --help`` loads click alone. Exit codes: 0 done,
1 it did not work, 2 it was asked for wrongly, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import NoReturn

import click

from ecl.version import __version__

__all__ = ["LazyGroup", "cli", "main"]

#: Each subcommand: where it is, and its line in ``ecl --help``.
COMMANDS = {
    "demo": ("ecl.cli.demo:demo", "Show everything once, on this machine, and leave nothing behind."),
    "serve": ("ecl.cli.serve:serve", "Run the embedded image service; manage its users and projects."),
}


class LazyGroup(click.Group):
    """A group that imports a subcommand's module only to run the subcommand or to show its help."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all subcommands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import and return one subcommand."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the list of subcommands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ecl", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Images for NTT Enterprise Cloud 2.0 / SDPF and any OpenStack Glance v2 cloud."""


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    debug = "--debug" in sys.argv[1:2]
    try:
        code = cli.main(prog_name="ecl", standalone_mode=False)
        sys.stdout.flush()
    except (click.exceptions.Abort, KeyboardInterrupt):
        _end(130, "Interrupted.")
    except click.exceptions.Exit as exc:
        sys.exit(exc.exit_code)
    except click.ClickException as exc:
        exc.show()
        sys.exit(exc.exit_code)
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not complain about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as exc:
        if debug:
            raise
        _end(1, f"Error: {str(exc) or type(exc).__name__}")
    sys.exit(code if isinstance(code, int) else 0)


def _end(code: int, message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(code)
