"""One grammar, noun and verb; the words of eclcli and openstackclient mean the same commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
import pytest

from ecl.cli.image import ALIASES, COMMANDS, SECTIONS
from ecl.cli.main import cli
from ecl.testing import ImageService
from support.commands import Command, write_clouds


def command_of(*words: str) -> click.Command:
    """Return the command that *words* name, found as when it is run."""
    ctx, rest = click.Context(cli, info_name="ecl"), list(words)
    while rest:
        assert isinstance(ctx.command, click.Group)
        name, command, rest = ctx.command.resolve_command(ctx, rest)
        assert command is not None
        ctx = click.Context(command, parent=ctx, info_name=name)
    return ctx.command


@pytest.mark.parametrize("alias", ALIASES)
def test_alias_is_the_command(alias: str) -> None:
    """An old word runs the very command of the new one."""
    assert command_of("image", *alias.split()) is command_of("image", *ALIASES[alias].split())


@pytest.mark.parametrize("alias", ALIASES)
def test_alias_answers_on_the_command_line(ecl: Command, alias: str) -> None:
    """Its help is that of the command, under the name that was typed."""
    helped = ecl("image", *alias.split(), "--help").out
    named = ecl("image", *ALIASES[alias].split(), "--help").out

    assert helped.startswith(f"Usage: ecl image {alias} ")
    assert helped.split("\n\n", 1)[1] == named.split("\n\n", 1)[1]


def test_help_groups_the_commands_and_hides_the_aliases(ecl: Command) -> None:
    """The help has a section for each subject, a line for each noun with its verbs, and no second words."""
    helped = ecl("image", "--help").out

    assert [line.rstrip(":") for line in helped.splitlines() if line.endswith(":") and line[0] != " "] == [
        "Options", *SECTIONS,
    ]  # fmt: skip
    flat = " ".join(helped.split())
    assert "member Projects that an image is shared with. (add, list, show, set, remove)" in flat
    assert not [alias for alias in ALIASES if f"\n  {alias} " in helped]


@pytest.mark.parametrize("noun", sorted({name.partition(" ")[0] for name in COMMANDS if " " in name}))
def test_noun_alone_shows_its_verbs(ecl: Command, noun: str) -> None:
    """A noun without a verb is an error that lists the verbs; with --help it is not."""
    if noun in COMMANDS:
        return
    assert "Commands:" in ecl("image", noun, code=2).err
    assert "Commands:" in ecl("image", noun, "--help").out


def test_options_stand_between_the_words(ecl: Command, image: str) -> None:
    """Options that choose the cloud are taken between noun and verb."""
    assert ecl("image", "member", "--os-cloud", "here", "list", image, "-f", "json").json == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("image membr list", "There is no command 'membr'; did you mean 'member'? (ecl image --help)"),
        ("image member ad", "There is no command 'ad'; did you mean 'add'? (ecl image member --help)"),
        ("image add x", "There is no command 'add x'; did you mean 'add project'?"),
        ("image metadef tag lsit", "There is no command 'lsit'; did you mean 'list'? (ecl image metadef tag --help)"),
    ],
)
def test_wrong_word_gets_the_nearest(ecl: Command, words: str, said: str) -> None:
    """The error names the word that is wrong, and where."""
    assert said in ecl(*words.split(), code=2).err


def test_tags_are_listed(ecl: Command, name: str) -> None:
    """One row for each tag of the image."""
    ecl("image", "create", name, "--tag", "b", "--tag", "a")

    assert ecl("image", "tag", "list", name, "-f", "value").out == "a\nb\n"


def test_member_is_shown(ecl: Command, image: str, project_of: Callable[[str], str]) -> None:
    """One project's answer; "-" is one's own."""
    guest = project_of("guest")
    ecl("image", "member", "add", image, guest)

    shown = ecl("--os-cloud", "guest", "image", "member", "show", image, "-", "-f", "json").json
    assert (shown["image_id"], shown["member_id"], shown["status"]) == (image, guest, "pending")
    ecl("--os-cloud", "guest", "image", "member", "set", image, "-", "accept")
    assert ecl("image", "member", "get", image, guest, "-f", "value", "-c", "status").out == "accepted\n"


def test_import_methods_are_listed(ecl: Command) -> None:
    """`import info` lists what the cloud can import; an image of that name stands behind two dashes."""
    assert "web-download" in ecl("image", "import", "info", "-f", "value").out.splitlines()
    assert "There is no image with the name or ID 'info'" in ecl("image", "import", "--", "info", code=1).err


def test_usage_is_shown(ecl: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each quota of the project with its usage, limit and unit; none where there are no quotas."""
    assert ecl("image", "usage", "-f", "json").json == []
    with ImageService(limits={"image_count_total": 3}) as limited:
        write_clouds(tmp_path / "clouds.yaml", limited, {"here": limited.add_project("jp1")})
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
        ecl("image", "create", "one")

        rows = {row["quota"]: row for row in ecl("image", "usage", "-f", "json").json}

    assert rows["image_count_total"] == {"quota": "image_count_total", "usage": 1, "limit": 3, "unit": "images"}
    assert rows["image_size_total"] == {"quota": "image_size_total", "usage": 0, "limit": -1, "unit": "MiB"}


def test_tasks_are_listed_and_shown(ecl: Command, name: str, disk: Path) -> None:
    """The tasks of an image for its owner; all tasks and one of them for an administrator."""
    ecl("image", "create", name, "--import", "--file", str(disk))

    (task,) = ecl("image", "task", "list", name, "-f", "json").json
    assert task["type"] == "api_image_import"
    assert ecl("image", "task", "list", name, "--status", "failure", "-f", "json").json == []
    assert "--sort-column" in ecl("image", "task", "list", name, "--sort-key", "status", code=2).err
    admin = ("--os-cloud", "admin", "image", "task")
    assert ecl(*admin, "show", task["id"], "-f", "value", "-c", "status").out == "success\n"
    assert len(ecl(*admin, "list", "--limit", "1", "-f", "json").json) == 1


def test_input_of_a_task(ecl: Command) -> None:
    """The JSON input goes to the cloud as it is; input that is no JSON object is refused before."""
    words = ("--os-cloud", "admin", "image", "task", "create", "--input")
    text = '{"import_from": "http://127.0.0.1:1/x", "import_from_format": "raw", "image_properties": {"name": "x"}}'

    assert "does not connect to port 1," in ecl(*words, text, code=1).err
    assert "not valid JSON" in ecl(*words, "{", code=2).err
    assert "must be a JSON object" in ecl(*words, "[]", code=2).err
    assert "/nope cannot be read: No such file" in ecl(*words, "@/nope", code=2).err


def test_locations(ecl: Command, image: str) -> None:
    """What the cloud says about locations is told; a hash needs its algorithm."""
    assert "HTTP 4" in ecl("image", "location", "add", image, "http://127.0.0.1/x", code=1).err
    assert (
        "--hash-algo and --hash-value"
        in ecl("image", "location", "add", image, "http://x", "--hash-algo", "md5", code=2).err
    )
    for verb, more in (("set", ["--metadata", "{}"]), ("remove", [])):
        assert "does not show the locations" in ecl("image", "location", verb, image, "http://x", *more, code=1).err


@pytest.mark.parametrize(
    "verb", ["list", "clear", "clean", "prune", "queue {image}", "delete {image}", "nodes {image}"]
)
def test_cache_of_a_cloud_without_one(ecl: Command, image: str, verb: str) -> None:
    """Where the cloud has no cache, each verb says so in one line."""
    said = ecl("--os-cloud", "admin", "image", "cache", *verb.format(image=image).split(), code=1).err

    assert "HTTP 404" in said
    assert said.count("\n") == 1
