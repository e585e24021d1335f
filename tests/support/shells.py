"""Real shells on a terminal, with the completion of ``ecl`` loaded."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from support.commands import ECL, Terminal

__all__ = ["SETUPS", "Shell"]


@dataclass(frozen=True)
class Setup:
    """How a shell is started, what its start-up file says, and where its users keep scripts."""

    #: Name of the start-up file, and the words that make the shell read it.
    file: str
    words: tuple[str, ...]
    #: Ctrl-T shows the line as it is now.
    text: str
    #: File below the home folder that the shell reads at the first completion of ``ecl``.
    installed: str


SETUPS = {
    "bash": Setup(
        "bashrc",
        ("--noprofile", "--rcfile", "{home}/bashrc", "-i"),
        """
        cd
        bind 'set enable-bracketed-paste off'; bind 'set page-completions off'; bind 'set bell-style none'
        bind 'set show-all-if-ambiguous on'; bind 'set completion-query-items 0'
        bind -x '"\\C-t": printf "\\nline=<%s>\\n" "$READLINE_LINE"'
        [[ -n $ECL_INSTALLED ]] || source <(ecl completion bash)
        [[ -z $ECL_INSTALLED ]] || source /usr/share/bash-completion/bash_completion
        PS1='ready> '
        """,
        ".local/bash-completion/completions/ecl",
    ),
    "zsh": Setup(
        ".zshrc",
        ("-d", "-i"),
        """
        cd
        fpath=(~/functions $fpath)
        autoload -U compinit; compinit -u -D
        [[ -n $ECL_INSTALLED ]] || source <(ecl completion zsh)
        shown() { print -r -- $'\\n'"line=<$BUFFER>" }
        zle -N shown; bindkey -e; bindkey '^T' shown
        unsetopt beep prompt_sp; LISTMAX=1000; PS1='ready> '
        """,
        "functions/_ecl",
    ),
    "fish": Setup(
        ".config/fish/config.fish",
        ("--private", "--interactive"),
        """
        cd
        set fish_greeting
        set fish_autosuggestion_enabled 0
        function fish_prompt; echo 'ready> '; end
        bind \\ct 'echo; echo "line=<"(commandline)">"'
        test -n "$ECL_INSTALLED"; or ecl completion fish | source
        """,
        ".config/fish/completions/ecl.fish",
    ),
}


class Shell:
    """
    A shell that a user types into.

    Args:
        name: ``bash``, ``zsh`` or ``fish``.
        home: A folder for its start-up file.
        environ: Its environment.
        script: The completion script, where the user has installed it as a file; None: the start-up file loads it.
    """

    def __init__(
        self, name: str, program: str, home: Path, environ: Mapping[str, str], script: str | None = None
    ) -> None:
        self.name = name
        setup = SETUPS[name]
        files = {setup.file: setup.text, **({setup.installed: script} if script is not None else {})}
        for path, text in files.items():
            (home / path).parent.mkdir(parents=True, exist_ok=True)
            (home / path).write_text(text)
        inherited = {key: value for key, value in environ.items() if key not in ("COLUMNS", "LINES")}
        own = {
            "HOME": str(home), "ZDOTDIR": str(home), "XDG_CONFIG_HOME": str(home / ".config"),
            "XDG_DATA_HOME": str(home / ".local"), "PATH": f"{ECL.parent}{os.pathsep}{environ['PATH']}",
            "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "ECL_INSTALLED": "" if script is None else "yes",
        }  # fmt: skip
        words = tuple(word.format(home=home) for word in setup.words)
        self.terminal = Terminal(words, 200, {**inherited, **own}, program)
        self.terminal.wait_for("ready> ")

    def completed(self, line: str) -> str:
        """Return the line that is there when *line* is typed and completed."""
        self.terminal.text = ""
        self.terminal.type(f"{line}\t\x14")
        self.terminal.wait_for(r"line=<[^>]*>")
        found = re.findall(r"line=<([^>]*)>", self.terminal.plain)[-1]
        self.terminal.type("\x15")
        return str(found)

    def offered(self, line: str, *words: str) -> str:
        """Return what is shown when *line* is typed and completed; wait until each of *words* is there."""
        self.terminal.text = ""
        self.terminal.type(f"{line}\t")
        for word in words:
            self.terminal.wait_for(word)
        shown = self.terminal.plain
        self.terminal.type("\x15\x14")
        self.terminal.wait_for("line=<>")
        return shown
