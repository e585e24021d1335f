"""What the process tells its user: the log, and the lines at start and stop."""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
from ipaddress import ip_address
from pathlib import Path

from ecl.server.process.listen import local_url
from ecl.server.settings.keystone import client_url
from ecl.server.settings.model import Settings

__all__ = ["announce", "say", "set_up_log"]


def set_up_log(settings: Settings) -> None:
    """Log to standard error; the access log in JSON has lines of its own there."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    logging.getLogger("ecl").setLevel(logging.INFO)
    # A warning for each request that it cannot read would let anybody fill the disk.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    if settings.access_log and settings.access_log_format == "json":
        # A line of this log is only a JSON object.
        access = logging.getLogger("ecl.access")
        access.addHandler(logging.StreamHandler(sys.stderr))
        access.propagate = False


def announce(settings: Settings, listener: socket.socket, clouds: Path, *, is_fresh: bool, ready_json: bool) -> None:
    """
    Tell that the service is ready, and how to use it.

    Args:
        clouds: The ``clouds.yaml`` of the service.
        is_fresh: True at the first start.
        ready_json: Also write one line of JSON to standard output.
    """
    url = local_url(settings, listener)
    regions = [region.name for region in settings.regions if not region.is_remote]
    host = listener.getsockname()[0]
    if settings.tls_cert is None and not ip_address(host).is_loopback:
        say(
            f"Warning: the service listens on {host} without TLS, so passwords, tokens and images cross the "
            "network in the clear. Give it --tls-cert and --tls-key, or put a TLS proxy in front."
        )
    if is_fresh:
        say(f"First start: made the users demo and admin; their passwords are in {clouds}.")
    say(f"Image service ready at {url}, regions: {', '.join(regions)}.")
    auth_url = f"{url}/v3" if settings.keystone is None else client_url(settings.keystone)
    if settings.keystone is None:
        say(f"  export OS_CLIENT_CONFIG_FILE={clouds} OS_CLOUD=demo")
    else:
        say(f"  Users, projects and tokens are those of the Keystone at {auth_url}.")
    if ready_json:
        line = {"url": url, "auth_url": auth_url, "regions": regions, "pid": os.getpid()}
        print(json.dumps(line), flush=True)


def say(text: str) -> None:
    """Write one line to standard error."""
    print(text, file=sys.stderr, flush=True)
