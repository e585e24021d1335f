"""Settings of stores, imports, limits of projects, and protected properties."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecl.server.settings.load import SettingsError, load_settings
from ecl.server.settings.model import ImportSettings, PropertyRule, StoreSettings


def _load(folder: Path, text: str, **environ: str) -> Any:
    config = folder / "service.toml"
    config.write_text(text)
    return load_settings(config, environ={"ECL_SERVE_DATA_DIR": str(folder), **environ})


def test_stores_of_a_region(tmp_path: Path) -> None:
    """A region's stores are tables in it; their folders begin in the file's own."""
    settings = _load(
        tmp_path,
        '[[regions]]\nname = "east"\ndefault_store = "b"\n'
        '[[regions.stores]]\nname = "a"\ndir = "one"\nread_only = true\n[[regions.stores]]\nname = "b"\n'
        'description = "the second"\nweight = 5\n',
    )

    assert settings.regions[0].stores == (
        StoreSettings("a", tmp_path / "one", None, True),
        StoreSettings("b", None, "the second", weight=5),
    )
    assert settings.regions[0].default_store == "b"


def test_a_store_in_a_bucket(tmp_path: Path) -> None:
    """Its files begin in the folder of the settings; two prefixes of one bucket are two places."""
    settings = _load(
        tmp_path,
        '[[regions]]\nname = "east"\n[[regions.stores]]\nname = "a"\nurl = "s3://images/east"\n'
        'endpoint = "https://s3.example"\naccess_key_id = "x"\nsecret_access_key_file = "secret"\ncacert = "ca.pem"\n'
        '[[regions.stores]]\nname = "b"\nurl = "s3://images/eastern"\ncredentials_file = "keys"\n',
    )
    one, other = settings.regions[0].stores

    assert (one.secret_access_key_file, one.cacert) == (tmp_path / "secret", tmp_path / "ca.pem")
    assert (other.credentials_file, other.path_style, other.removal_delay) == (tmp_path / "keys", True, None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('stores = [{name = "a b"}]', "store name 'a b'"),
        ('stores = [{name = "os_glance_x"}]', "store name 'os_glance_x'"),
        ('stores = [{name = "3e1b9b3c-0000-4000-8000-000000000000"}]', "no UUID"),
        ('stores = [{name = "../x"}]', "store name"),
        ('stores = [{name = "a"}, {name = "a"}]', "there twice"),
        ('stores = [{name = "a", dir = "x"}, {name = "b", dir = "x"}]', "same folder"),
        ('stores = [{name = "a", read_only = true}]', "read-only"),
        ('stores = [{name = "a"}]\ndefault_store = "b"', "default_store"),
        ('stores = [{name = "a"}]\nstore_dir = "x"', "store_dir"),
        ('stores = [{name = "a", folder = "x"}]', "'folder' in"),
        ('stores = "a"', r"\[\[stores\]\]"),
        ('stores = [{name = "a", url = "s3:/b/c"}]', "url of the store a of region east is 's3:/b/c', but must be"),
        ('stores = [{name = "a", url = "file:///b"}]', "must be one such as s3://bucket/prefix"),
        ('stores = [{name = "a", url = "s3://b1/../c"}]', "must be one such as s3://bucket/prefix"),
        ('stores = [{name = "a", url = "s3://user:secret@b1/c"}]', "is 's3://...@b1/c', but must be"),
        ('stores = [{name = "a", url = "s3://b1", dir = "x"}]', "both a dir and a url"),
        ('stores = [{name = "a", endpoint = "https://x"}]', "has endpoint, which only a store with a url has"),
        ('stores = [{name = "a", removal_delay = 1}]', "has removal_delay, which only a store with a url has"),
        ('stores = [{name = "a", url = "s3://b1", endpoint = "x"}]', "must be a URL such as https://s3.example"),
        (
            'stores = [{name = "a", url = "s3://b1", endpoint = "http://x"}]',
            "is not https: use https, or set allow_http",
        ),
        ('stores = [{name = "a", url = "gs://b1", path_style = false}]', "path_style, which a store at gs:// does not"),
        ('stores = [{name = "a", url = "s3://b1", access_key_id = "x"}]', "needs both access_key_id and"),
        (
            'stores = [{name = "a", url = "s3://b1", access_key_id = "x", secret_access_key_file = "y", profile = "z"}'
            "]",
            "two kinds of credentials",
        ),
        ('stores = [{name = "a", url = "s3://b1", removal_delay = -1}]', "removal_delay of .* must be 0 to 2592000"),
        ('stores = [{name = "a", url = "s3://b1", removal_delay = nan}]', "removal_delay of .* must be 0 to 2592000"),
        ('stores = [{name = "a", url = "s3://b1/x"}, {name = "b", url = "s3://b1/x/"}]', "the same prefix"),
        ('stores = [{name = "a", url = "s3://b1/x"}, {name = "b", url = "s3://b1/x/y"}]', "is inside that of"),
        ('stores = [{name = "a", url = "s3://b1", bucket = "x"}]', "'bucket' in"),
        ('stores = [{name = "a", weight = "much"}]', r"setting regions\[0\].stores\[0\].weight"),
    ],
)
def test_stores_that_cannot_be(tmp_path: Path, text: str, problem: str) -> None:
    """What is wrong with a store is named."""
    with pytest.raises(SettingsError, match=problem):
        _load(tmp_path, f'[[regions]]\nname = "east"\n{text}\n')


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            '[[regions]]\nname = "jp1"\nstore_dir = "x"\n[[regions]]\nname = "jp2"\nstore_dir = "x"\n',
            "The store folder of region jp1 and the store folder of region jp2 have the same folder, .*/x: give each",
        ),
        (
            '[[regions]]\nname = "jp1"\nstore_dir = "x"\n[[regions]]\nname = "jp2"\nstore_dir = "link"\n',
            "have the same folder, .*/x",
        ),
        (
            '[[regions]]\nname = "jp1"\nstore_dir = "x"\n[[regions]]\nname = "jp2"\nstore_dir = "y/../x"\n',
            "have the same folder, .*/x",
        ),
        (
            '[[regions]]\nname = "jp1"\nstore_dir = "x/y"\n[[regions]]\nname = "jp2"\nstore_dir = "x"\n',
            "The folder of the store folder of region jp1, .*/x/y, is inside that of the store folder of region jp2",
        ),
        ('[[regions]]\nname = "jp1"\n[[regions]]\nname = "jp2"\nstore_dir = "images/jp1"\n', "have the same folder"),
        ('[[regions]]\nname = "jp1"\nstore_dir = "staging/jp1"\n', "staging area of region jp1 have the same folder"),
        ('[[regions]]\nname = "jp1"\nstore_dir = "."\n', "The folder of the staging area of region jp1, .* is inside"),
        (
            '[[regions]]\nname = "jp1"\nstore_dir = "x"\n[[regions]]\nname = "jp2"\n[[regions.stores]]\nname = "a"\n'
            '[[regions.stores]]\nname = "b"\ndir = "x"\nread_only = true\n',
            "have the same folder",
        ),
    ],
)
def test_folders_that_are_shared(tmp_path: Path, text: str, problem: str) -> None:
    """Two places for bytes never have one folder, whatever it is called, nor is one inside another."""
    (tmp_path / "link").symlink_to(tmp_path / "x")
    with pytest.raises(SettingsError, match=problem):
        _load(tmp_path, text)


def test_folders_that_are_not_shared(tmp_path: Path) -> None:
    """Stores without a folder of their own lie inside their region's; two regions may read one archive."""
    archive = '[[regions.stores]]\nname = "archive"\ndir = "archive"\nread_only = true\n'
    stores = f'[[regions.stores]]\nname = "folder"\n[[regions.stores]]\nname = "fast"\n{archive}'
    settings = _load(tmp_path, f'[[regions]]\nname = "jp1"\n{stores}[[regions]]\nname = "jp2"\n{stores}')

    assert [len(region.stores) for region in settings.regions] == [3, 3]


def test_imports(tmp_path: Path) -> None:
    """The table imports, and variables above it; a list in a variable has commas."""
    settings = _load(
        tmp_path,
        '[imports]\nmethods = ["web-download"]\nallowed_ports = []\nallowed_networks = ["10.1.0.0/16"]\n',
        ECL_SERVE_IMPORTS_ALLOWED_PORTS="80, 8080",
        ECL_SERVE_IMPORTS_TIMEOUT="5",
        ECL_SERVE_METRICS_NETWORKS="10.0.0.0/8,fd00::/8",
        ECL_SERVE_LIMITS_IMAGE_COUNT_TOTAL="-1",
    )

    assert settings.imports == ImportSettings(("web-download",), 2, (80, 8080), ("10.1.0.0/16",), timeout=5)
    assert settings.metrics_networks == ("10.0.0.0/8", "fd00::/8")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[imports]\nmethods = ["ftp"]', "imports.methods"),
        ("[imports]\nworkers = 0", "imports.workers"),
        ("[imports]\nallowed_ports = [70000]", "imports.allowed_ports"),
        ('[imports]\nallowed_networks = ["10.1.2.3/16"]', "10.1.2.3/16"),
        ('[imports]\nallowed_network = ["10.1.0.0/16"]', "did you mean allowed_networks"),
        ('metrics_networks = ["all"]', "'all' in metrics_networks"),
        ("[limits]\nimage_count_total = -2", "limits.image_count_total"),
        ("[upkeep]\nscrub_rate = -1", "upkeep.scrub_rate"),
        ("[upkeep]\nscrub_interval = 0", "upkeep.scrub_interval"),
        ("[upkeep]\nkeep_deleted_images = -1", "upkeep.keep_deleted_images"),
        ("[upkeep]\nkeep_tasks = 0", "upkeep.keep_tasks"),
        ("[upkeep]\nkeep_copy_jobs = 1.5", "upkeep.keep_copy_jobs"),
        ("[upkeep]\nscrubrate = 1", "did you mean scrub_rate"),
        ('access_log_format = "xml"', "access_log_format"),
        ('[[property_rules]]\npattern = "("', "no regular expression"),
        ('[[property_rules]]\npattern = "x"\nwrite = ["admin"]', "'write' in"),
    ],
)
def test_settings_that_cannot_be(tmp_path: Path, text: str, problem: str) -> None:
    """What is wrong is named."""
    with pytest.raises(SettingsError, match=problem):
        _load(tmp_path, text + "\n")


def test_property_rules(tmp_path: Path) -> None:
    """Rules keep their order; what is not said is for nobody."""
    settings = _load(
        tmp_path,
        '[[property_rules]]\npattern = "^x_"\nread = ["@"]\n[[property_rules]]\npattern = ".*"\ncreate = ["member"]\n',
    )

    assert settings.property_rules == (PropertyRule("^x_", read=("@",)), PropertyRule(".*", create=("member",)))
