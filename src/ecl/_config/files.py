"""Where clouds.yaml, secure.yaml and clouds-public.yaml lie, and what is in them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ecl import exceptions

__all__ = ["folders", "merged", "profile", "read_clouds"]

Cloud = dict[str, Any]


def folders(env: Mapping[str, str]) -> list[Path]:
    """Return where files are looked for, in order: here, the user's folders, the machine's; ECL's name first."""
    home = Path(env.get("SNAP_REAL_HOME") or "~").expanduser()
    user = Path(env["XDG_CONFIG_HOME"]) if env.get("XDG_CONFIG_HOME") else _users_folder()
    machine = (env.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)
    parents = [user, home / ".config", *(Path(folder) for folder in machine if folder), Path("/etc")]
    found = [Path(), *(parent / name for parent in parents for name in ("ecl", "openstack"))]
    return list(dict.fromkeys(found))


def _users_folder() -> Path:
    """Return where this user's configuration is on this system."""
    home = os.environ.get("HOME", "")
    if sys.platform == "linux" and os.path.isabs(home):
        # As platformdirs says, whose import takes longer than reading the files does.
        return Path(home, ".config")
    import platformdirs

    return platformdirs.user_config_path()


def read_clouds(env: Mapping[str, str]) -> dict[str, Cloud]:
    """
    Read clouds.yaml, with secure.yaml laid over it.

    Raises:
        ConfigException: A file that a variable names is not there, or a file cannot be used.
    """
    clouds = _section(_find("clouds", "OS_CLIENT_CONFIG_FILE", env), "clouds")
    for name, entry in _section(_find("secure", "OS_CLIENT_SECURE_FILE", env), "clouds").items():
        clouds[name] = merged(clouds.get(name, {}), entry)
    return clouds


def profile(name: str, env: Mapping[str, str]) -> Cloud | None:
    """
    Return what the vendor profile *name* says of a cloud; None if there is no such profile.

    It is looked for in clouds-public.yaml, then among the profiles that openstacksdk ships, if it is installed.

    Raises:
        ConfigException: The file cannot be used, the cloud is shut down, or the profile would have to be fetched.
    """
    public = _section(_find("clouds-public", None, env), "public-clouds")
    if name in public:
        return public[name]
    if "://" in name:
        raise exceptions.ConfigException(_remote(name, name))
    shipped = _shipped(name)
    if shipped is None:
        return None
    if shipped.get("status") == "shutdown":
        raise exceptions.ConfigException(f"Vendor profile {name!r}: the cloud was shut down. {shipped.get('message')}")
    nested = shipped.get("profile")
    if nested and "://" in nested:
        raise exceptions.ConfigException(_remote(name, nested))
    found = (_shipped(nested) or shipped) if nested else shipped
    return {key: value for key, value in found.items() if key not in ("profile", "status", "message")}


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> Cloud:
    """Lay one mapping over another, key by key."""
    result = dict(below)
    for key, value in above.items():
        lower = result.get(key)
        both = isinstance(lower, Mapping) and isinstance(value, Mapping)
        result[key] = merged(lower, value) if both else value  # type: ignore[arg-type]  # both are mappings
    return result


def _remote(name: str, address: str) -> str:
    return (
        f"Vendor profile {name!r} is published at {address}, and profiles are not fetched: write auth_url, regions and"
        " domains into clouds.yaml, or a profile of this name into clouds-public.yaml"
    )


def _shipped(name: str) -> Cloud | None:
    """Read a profile of openstacksdk's folder, without importing openstacksdk, which takes most of a second."""
    import importlib.util

    spec = importlib.util.find_spec("openstack")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "config" / "vendors"
    # Nearly always the file has the profile's name.
    named = [folder / f"{name}{suffix}" for suffix in (".json", ".yaml")]
    for path in (*named, *sorted(folder.glob("*.json")), *sorted(folder.glob("*.yaml"))):
        if os.path.isfile(path):
            document = _document(path)
            if isinstance(document, dict) and document.get("name") == name:
                return dict(document.get("profile") or {})
    return None


def _find(kind: str, variable: str | None, env: Mapping[str, str]) -> Path | None:
    """
    Find the file of this *kind* that counts: the one that *variable* names, else the first that can be read.

    Raises:
        ConfigException: *variable* names a file that is not there.
    """
    named = env.get(variable) if variable else None
    if named:
        path = Path(named).expanduser()
        if path.is_dir():
            raise exceptions.ConfigException(f"{variable} names {path}, which is a folder; name the file in it")
        if not path.is_file():
            raise exceptions.ConfigException(f"{variable} names {path}, and there is no such file")
        return path
    candidates = (folder / f"{kind}.{suffix}" for folder in folders(env) for suffix in ("yaml", "yml", "json"))
    return _first_readable(candidates)


def _first_readable(paths: Iterable[Path]) -> Path | None:
    # A file in /etc that only its administrator may read is not meant for this user.
    return next((path for path in paths if os.path.isfile(path) and os.access(path, os.R_OK)), None)


def _section(path: Path | None, key: str) -> dict[str, Cloud]:
    document = _document(path) if path else None
    if document is None:
        return {}
    found = document.get(key, {}) if isinstance(document, dict) else None
    if found is None and isinstance(document, dict):
        return {}
    if not isinstance(found, dict) or not all(isinstance(entry, dict) for entry in found.values()):
        raise exceptions.ConfigException(f"{path} must have a mapping {key!r} of cloud names to mappings")
    return {str(name): dict(entry) for name, entry in found.items()}


def _document(path: Path) -> Any:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        data = path.read_bytes()
        if path.suffix == ".json":
            return json.loads(data)
        return yaml.load(data, Loader=loader)  # noqa: S506 - a safe loader
    except OSError as exc:
        problem = str(exc.strerror)
    except yaml.YAMLError as exc:
        problem = _yaml_problem(exc)
    except json.JSONDecodeError as exc:
        problem = f"line {exc.lineno}, column {exc.colno}: it is not valid JSON"
    except ValueError:
        problem = "it is not text in UTF-8"
    raise exceptions.ConfigException(f"{path} cannot be read: {problem}")


def _yaml_problem(exc: Exception) -> str:
    # Not in the words of the YAML library, which quotes what it stumbled over: that may be a password.
    mark = getattr(exc, "problem_mark", None)
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
    return f"{where}it is not valid YAML; put values that begin with a special character into quotes"
