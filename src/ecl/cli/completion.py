"""``ecl completion``: what makes a shell complete commands, options, and the names of images."""

from __future__ import annotations

import click

from ecl.cli._suggest import Choice

__all__ = ["completion"]


@click.command()
@click.argument("shell", type=Choice("bash", "zsh", "fish"))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """
    Print what makes SHELL (bash, zsh or fish) complete this command.

    \b
    bash: ecl completion bash > ~/.local/share/bash-completion/completions/ecl
    zsh:  ecl completion zsh > "${fpath[1]}/_ecl"
    fish: ecl completion fish > ~/.config/fish/completions/ecl.fish
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    made = found(ctx.find_root().command, {}, "ecl", "_ECL_COMPLETE")
    # source() would look whether the bash of this machine is new enough; the script may be for another one.
    click.echo(made.source_template % made.source_vars())
