"""
Uses a cloud's image service with openstacksdk, and prints what it saw.

Reads a task from standard input, writes facts to standard output, both JSON.
"""

import json
import sys

import openstack
import openstacksdk_images
import openstacksdk_imports
import openstacksdk_metadefs
from openstack.image.v2._proxy import Proxy
from shared import Watched, public_methods


def connect(login, **options):
    """Return the image proxy of openstacksdk for a login; *options* are more of what clouds.yaml may say."""
    auth = dict(login["auth"])
    if "endpoint" in auth:
        # With a bare token there is no catalog, and openstacksdk discovers nothing.
        auth["endpoint"] += "/v2"
    cloud = openstack.connect(load_yaml_config=False, load_envvars=False, **{**login, "auth": auth}, **options)
    return cloud.image


def interfaces(login):
    """Return the interfaces of a catalog by which the image service is found."""
    found = []
    for interface in ("public", "internal", "admin"):
        next(connect(login, interface=interface).images(limit=1), None)
        found.append(interface)
    return found


def main():
    """Do everything, print the facts."""
    task = json.load(sys.stdin)
    called = set()
    users = {identity: Watched(connect(login), called) for identity, login in task["logins"].items()}
    facts = {
        "interfaces": interfaces(task["logins"]["member"]),
        "images": dict(openstacksdk_images.facts(users, task)),
        "imports": dict(openstacksdk_imports.facts(users, task)),
        "metadefs": dict(openstacksdk_metadefs.facts(users)),
        "never called": sorted(public_methods(Proxy) - called),
    }
    json.dump(facts, sys.stdout)


main()
