"""
Completion in bash, zsh and fish: the script for each shell, and the answer to what it asks.

A script passes the line up to the cursor as COMP_WORDS, in the shell's own quotes. bash replaces only what follows the
last of its word breaks (``=`` and ``:`` are two), so its script passes that part, too, as COMP_TAIL.
"""

from __future__ import annotations

import os

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)

from ecl.cli._completion import cloud_names, starting_with

__all__ = ["SHELLS", "Bash", "Fish", "Zsh", "register"]

_BASH = """\
_ecl_completion() {
    local IFS=$'\\n' type value tail=${COMP_WORDS[COMP_CWORD]}
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain)
                # Inside quotes, a blank needs no backslash.
                if [[ $tail != [\\"\\']* && $value == *[^[:alnum:]_.,:=@+/-]* ]]; then
                    printf -v value %%q "$value"
                fi
                COMPREPLY+=("$value")
                ;;
        esac
    done < <(COMP_WORDS=${COMP_LINE:0:COMP_POINT} COMP_TAIL=$tail _ECL_COMPLETE=bash_complete "$1" 2>/dev/null)
}

complete -o nosort -F _ecl_completion ecl ecl-image
"""

_ZSH = """\
#compdef ecl ecl-image

_ecl_completion() {
    local -a answer plain described
    local type value text
    answer=("${(@f)$(COMP_WORDS="${(j: :)words[1,CURRENT-1]} $QIPREFIX$PREFIX" \\
        _ECL_COMPLETE=zsh_complete ${(Q)words[1]} 2>/dev/null)}")
    for type value text in "${answer[@]}"; do
        case $type in
            dir) compset -P 1 '--*='; _path_files -/ ;;
            file) compset -P 1 '--*='; _path_files -f ;;
            plain)
                if [[ $text == _ ]]; then
                    plain+=("$value")
                else
                    described+=("$value:$text")
                fi
                ;;
        esac
    done
    (( $#described )) && _describe -V ecl described
    (( $#plain )) && compadd -V ecl -a plain
}

if [[ $funcstack[1] == _ecl ]]; then
    # A file of fpath: its text is the function _ecl, which each completion calls.
    _ecl_completion "$@"
else
    compdef _ecl_completion ecl ecl-image
fi
"""

_FISH = """\
function _ecl_completion
    set -l word (commandline --cut-at-cursor --current-token)
    set -l option (string match --regex -- '^--[^=]*=' $word)
    test -n "$option"; or set option ''
    set -l program (commandline --tokenize --current-process)[1]
    set -l line (commandline --cut-at-cursor --current-process | string collect)
    for item in (COMP_WORDS=$line _ECL_COMPLETE=fish_complete $program 2>/dev/null)
        set -l parts (string split --max 1 , -- $item)
        switch $parts[1]
            case dir
                printf '%%s\\n' $option(__fish_complete_directories (string replace -- "$option" '' $word))
            case file
                printf '%%s\\n' $option(__fish_complete_path (string replace -- "$option" '' $word))
            case plain
                printf '%%s\\n' $parts[2]
        end
    end
end

complete --no-files --command ecl --arguments '(_ecl_completion)'
complete --no-files --command ecl-image --arguments '(_ecl_completion)'
"""

#: Stands for the cursor while the line is split into words.
_CURSOR = "\0"
_OPTIONS_WITH_FILES = ("--os-cacert", "--os-cert", "--os-key")


class _Line(ShellComplete):
    """What all shells share: the line up to the cursor, the common options in any position, ``--option=value``."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one at the cursor, and that one."""
        *words, last = split_arg_string(os.environ["COMP_WORDS"] + _CURSOR)
        return words[1:], last.removesuffix(_CURSOR)

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """Return what fits at the cursor, each value as the shell inserts it."""
        option, equals, value = incomplete.partition("=")
        if not equals or not option.startswith("--"):
            found, given = self._fitting(args, incomplete), ""
        else:
            found, given = self._fitting([*args, option], value), option + equals
        for item in found:
            item.value = (given + item.value).removeprefix(self._kept(incomplete))
        return found

    def _kept(self, incomplete: str) -> str:
        """Return the part of *incomplete* that the shell leaves as it is."""
        del incomplete
        return ""

    def _fitting(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        last = args[-1] if args else ""
        if last == "--os-cloud":
            return starting_with(cloud_names(), incomplete)
        if last in _OPTIONS_WITH_FILES:
            return [CompletionItem(incomplete, type="file")]
        if last.startswith("--os-") and last not in ("--os-distro", "--os-version") and "=" not in last:
            # Its value, which nothing here knows.
            return []
        return super().get_completions(args, incomplete)


class Bash(_Line, BashComplete):
    """Completion for bash."""

    source_template = _BASH

    def _kept(self, incomplete: str) -> str:
        tail = os.environ.get("COMP_TAIL", incomplete)
        words = split_arg_string("" if tail in ("=", ":") else tail)
        return incomplete.removesuffix(words[0] if words else "")


class Zsh(_Line, ZshComplete):
    """Completion for zsh."""

    source_template = _ZSH


class Fish(_Line, FishComplete):
    """Completion for fish."""

    source_template = _FISH


SHELLS: dict[str, type[ShellComplete]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}


def register() -> None:
    """Let click answer these shells by the classes here."""
    for name, shell in SHELLS.items():
        add_completion_class(shell, name)
