"""What commands write: each format whole, and a table that fits the terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
import yaml

from support.commands import Command, Terminal

ID = "11111111-2222-4333-8444-555555555555"
CREATED = ("image", "create", "debian 13", "--id", ID, "--property", "os_distro=debian", "--tag", "b", "--tag", "a")
CHOSEN = ("-c", "name", "-c", "tags", "-c", "properties", "-c", "min_disk", "-c", "checksum")


@pytest.fixture
def _created(ecl: Command, alone: str, request: pytest.FixtureRequest) -> None:
    ecl(*CREATED[:4], _new_id(request), *CREATED[5:], "-f", "json")


def _new_id(request: pytest.FixtureRequest) -> str:
    # A deleted image's ID is not given again, so each test has its own.
    return f"11111111-2222-4333-8444-{abs(hash(request.node.nodeid)) % 10**12:012d}"


def masked(text: str) -> str:
    """Put the ID that :data:`ID` stands for into *text*."""
    return re.sub(r"11111111-2222-4333-8444-\d{12}", ID, text)


LISTS = {
    "table": f"""\
+--------------------------------------+-----------+--------+
| ID                                   | Name      | Status |
+--------------------------------------+-----------+--------+
| {ID} | debian 13 | queued |
+--------------------------------------+-----------+--------+
""",
    "json": f"""\
[
  {{
    "id": "{ID}",
    "name": "debian 13",
    "status": "queued"
  }}
]
""",
    "yaml": f"""\
- id: {ID}
  name: debian 13
  status: queued
""",
    "csv": f'"id","name","status"\n"{ID}","debian 13","queued"\n',
    "value": f"{ID} debian 13 queued\n",
}

FIELDS = {
    "table": """\
+------------+------------------+
| Field      | Value            |
+------------+------------------+
| name       | debian 13        |
| tags       | a, b             |
| properties | os_distro=debian |
| min_disk   | 0                |
| checksum   |                  |
+------------+------------------+
""",
    "json": """\
{
  "name": "debian 13",
  "tags": [
    "a",
    "b"
  ],
  "properties": {
    "os_distro": "debian"
  },
  "min_disk": 0,
  "checksum": null
}
""",
    "yaml": """\
name: debian 13
tags:
- a
- b
properties:
  os_distro: debian
min_disk: 0
checksum: null
""",
    "csv": (
        '"name","tags","properties","min_disk","checksum"\n'
        '"debian 13","[""a"", ""b""]","{""os_distro"": ""debian""}",0,""\n'
    ),
    "value": 'debian 13\n["a", "b"]\n{"os_distro": "debian"}\n0\nNone\n',
    "shell": """\
name='debian 13'
tags='["a", "b"]'
properties='{"os_distro": "debian"}'
min_disk=0
checksum=None
""",
}


@pytest.mark.usefixtures("_created")
@pytest.mark.parametrize("style", LISTS)
def test_list_is_written_so_in_each_format(ecl: Command, style: str) -> None:
    """A list of images looks exactly so."""
    assert masked(ecl("image", "list", "-f", style).out) == LISTS[style]


@pytest.mark.usefixtures("_created")
@pytest.mark.parametrize("style", FIELDS)
def test_image_is_written_so_in_each_format(ecl: Command, style: str) -> None:
    """The fields of one image look exactly so."""
    assert ecl("image", "show", "debian 13", "-f", style, *CHOSEN).out == FIELDS[style]


@pytest.mark.usefixtures("_created")
def test_json_has_the_same_keys_for_every_image(ecl: Command) -> None:
    """A program finds each attribute in the JSON of an image, whether it has a value or not."""
    assert list(ecl("image", "show", "debian 13", "-f", "json").json) == [
        "id", "name", "status", "visibility", "disk_format", "container_format", "size", "virtual_size", "min_disk",
        "min_ram", "protected", "os_hidden", "owner", "checksum", "os_hash_algo", "os_hash_value", "tags", "properties",
        "created_at", "updated_at", "file", "schema",
    ]  # fmt: skip


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("style", "expected"),
    [("json", "[]\n"), ("yaml", "[]\n"), ("value", ""), ("csv", '"id","name","status"\n')],
)
def test_empty_list_is_valid(ecl: Command, style: str, expected: str) -> None:
    """No images are an empty list in each format for programs."""
    assert ecl("image", "list", "-f", style).out == expected


@pytest.mark.usefixtures("alone")
def test_noindent_sort_and_choice_of_columns(ecl: Command) -> None:
    """Columns come in the order asked for, by key, title or property; rows sorted by any of them; JSON on one line."""
    for name, distro, disk in (("b", "x", "1"), ("a", "y", "3"), ("c", "x", "2")):
        ecl("image", "create", name, "--os-distro", distro, "--min-disk", disk)
    options = ("-f", "json", "--noindent", "-c", "os_distro", "-c", "NAME", "--sort-column", "os_distro")

    first = ecl("image", "list", *options).out
    down = ecl("image", "list", "-f", "value", "-c", "name", "--sort-column", "min_disk", "--sort-descending").out

    assert first == (
        '[{"os_distro": "x", "name": "b"}, {"os_distro": "x", "name": "c"}, {"os_distro": "y", "name": "a"}]\n'
    )
    assert down == "a\nc\nb\n"


def test_sizes_are_human_in_tables_and_bytes_elsewhere(ecl: Command, image: str) -> None:
    """97.7 KiB for people, 100000 for programs, unless they ask for the other."""
    assert "97.7 KiB" in ecl("image", "show", image, "-c", "size").out
    assert ecl("image", "show", image, "-c", "size", "-f", "value").out == "100000\n"
    assert ecl("image", "show", image, "-c", "size", "-f", "value", "--human-readable").out == "97.7 KiB\n"


@pytest.mark.usefixtures("alone")
def test_name_cannot_disguise_the_output(ecl: Command) -> None:
    """Line breaks and escape sequences in a name are shown as such, in tables and for programs that read lines."""
    ecl("image", "create", "a\nb \x1b[31mred", "-f", "json")

    assert "a\\nb \\x1b[31mred" in ecl("image", "list").out
    assert ecl("image", "list", "-f", "value", "-c", "name").out == "a\\nb \\x1b[31mred\n"
    assert ecl("image", "list", "-f", "json").json[0]["name"] == "a\nb \x1b[31mred"


@pytest.mark.usefixtures("alone")
def test_csv_keeps_control_characters_from_the_terminal(ecl: Command) -> None:
    """A name cannot send escape sequences by way of CSV; a line is one image; a backslash is not doubled."""
    ecl("image", "create", "a\\c\nb \x1b]0;title\x07\x9b", "-f", "json")

    assert ecl("image", "list", "-f", "csv", "-c", "name").out == '"name"\n"a\\c\\nb \\x1b]0;title\\x07\\x9b"\n'
    assert ecl("image", "list", "-f", "csv", "-c", "name", "-c", "min_disk").out.endswith(",0\n")


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_formula_in_csv(ecl: Command, terminal: Callable[..., Terminal], name: str) -> None:
    """On a terminal, from which people copy, it is text to a spreadsheet; programs get the name as it is."""
    ecl("image", "create", "--", name)
    words = ("image", "list", "-f", "csv", "-c", "name")
    shown = terminal(*words)

    assert shown.end() == 0
    assert shown.plain.splitlines() == ['"name"', f'"\'{name}"']
    assert ecl(*words).out == f'"name"\n"{name}"\n'


def test_failed_list_writes_nothing(ecl: Command) -> None:
    """Where the cloud refuses the list, there is no header without rows that a program takes for an empty list."""
    ended = ecl("image", "list", "-f", "csv", "--sort", "nonsense", code=1)

    assert ended.out == ""
    assert "HTTP 400" in ended.err


@pytest.mark.usefixtures("alone")
def test_wide_characters_stand_in_line(ecl: Command) -> None:
    """A name in Japanese takes two columns a character."""
    ecl("image", "create", "日本")
    ecl("image", "create", "abcd")

    lines = ecl("image", "list", "-c", "name").out.splitlines()

    assert lines == ["+------+", "| Name |", "+------+", "| abcd |", "| 日本 |", "+------+"]


@pytest.mark.parametrize("columns", [80, 120])
def test_table_fits_the_terminal(terminal: Callable[..., Terminal], image: str, columns: int) -> None:
    """No line of a table is wider than the terminal, and nothing of a value is lost."""
    shown = terminal("image", "show", image, columns=columns)

    assert shown.end() == 0
    lines = shown.plain.splitlines()
    assert max(map(len, lines)) <= columns
    values = "".join(line.split("|")[2].strip() for line in lines if line.startswith("|"))
    digest = Command()("image", "show", image, "-f", "value", "-c", "os_hash_value").out.strip()
    assert digest in values


@pytest.mark.parametrize("columns", [60, 80, 200])
@pytest.mark.parametrize(
    "words",
    [
        "image list --name {name}",
        "image list --name {name} --long",
        "image list --name {name} --long --max-width {columns}",
        "image list --name {name} -c id -c checksum -c owner -c created_at -c os_hash_value",
        "image show {image}",
        "image member list {image}",
        "image copy-job list",
        "image copy-job list --long",
        "image store list",
        "catalog list",
        "image schema show",
    ],
)
def test_every_table_fits(
    terminal: Callable[..., Terminal], ecl: Command, image: str, name: str, columns: int, words: str
) -> None:
    """At 60, 80 and 200 columns no line is wider than the terminal, and the first column is there."""
    member, tenant = "0123456789abcdef" * 2, ecl("--os-cloud", "there", "token", "issue", "-f", "json").json
    ecl("image", "member", "add", image, member)
    if "copy-job" in words:
        ecl("image", "copy", image, tenant["project_id"])
    shown = terminal(*words.format(image=image, name=name, columns=columns).split(), columns=columns)

    assert shown.end() == 0
    lines = shown.plain.splitlines()
    assert max(map(len, lines)) <= columns or lines[-1].startswith("Too narrow for the columns")
    assert max(len(line) for line in lines if line[:1] in "|+") <= columns
    assert len({len(line) for line in lines if line[:1] in "|+"}) == 1


def test_columns_that_do_not_fit_are_named(terminal: Callable[..., Terminal], image: str, name: str) -> None:
    """A narrow terminal shows the ID whole, and says which columns it lacks; those that -c chose are all there."""
    words = ("image", "list", "--name", name)
    narrow, chosen = terminal(*words, "--long", columns=80), terminal(*words, "-c", "id", "-c", "checksum", columns=60)

    assert (narrow.end(), chosen.end()) == (0, 0)
    assert image in narrow.plain
    assert "Status" in narrow.plain
    assert "Too narrow for the columns disk_format, container_format, checksum," in narrow.plain
    assert "checksum" in chosen.plain
    assert "Too narrow" not in chosen.plain


def test_variable_columns_is_the_width(terminal: Callable[..., Terminal], image: str) -> None:
    """COLUMNS overrides what the terminal says of itself."""
    shown = terminal("image", "show", image, columns=200, COLUMNS="60")

    assert shown.end() == 0
    assert max(map(len, shown.plain.splitlines())) == 60


def test_colours_only_where_they_are_wanted(terminal: Callable[..., Terminal], ecl: Command, image: str) -> None:
    """A terminal gets colours; with NO_COLOR, on a dumb one, and in a pipe there are none."""
    words = ("image", "show", image, "-c", "status")
    coloured, without, dumb = terminal(*words), terminal(*words, NO_COLOR="1"), terminal(*words, TERM="dumb")

    assert [each.end() for each in (coloured, without, dumb)] == [0, 0, 0]
    assert "\x1b[32mactive" in coloured.text
    assert "\x1b[" not in without.text + dumb.text + ecl(*words).out


def test_yaml_and_json_say_the_same(ecl: Command, image: str) -> None:
    """Both formats hold the same document."""
    assert yaml.safe_load(ecl("image", "show", image, "-f", "yaml").out) == json.loads(
        ecl("image", "show", image, "-f", "json").out
    )
