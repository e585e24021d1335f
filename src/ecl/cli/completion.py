"""``ecl completion``: the script with which a shell completes commands, options and names of images."""

from __future__ import annotations

import click

from ecl.cli._suggest import Choice

__all__ = ["completion"]


@click.command()
@click.argument("shell", type=Choice("bash", "zsh", "fish"))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """
    Print the completion script for SHELL: bash, zsh or fish.

    \b
    bash: ecl completion bash > ~/.local/share/bash-completion/completions/ecl
    zsh:  ecl completion zsh > "${fpath[1]}/_ecl"
    fish: ecl completion fish > ~/.config/fish/completions/ecl.fish
    """
    from ecl.cli._shells import SHELLS

    # Not source(): it checks the version of the local bash, but the script may be for another machine.
    script = SHELLS[shell](ctx.find_root().command, {}, "ecl", "_ECL_COMPLETE")
    click.echo(script.source_template % script.source_vars())
