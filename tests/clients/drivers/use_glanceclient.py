"""
Uses a cloud's image service with python-glanceclient's library, and prints what it saw.

Reads a task from standard input, writes facts to standard output, both JSON.
"""

import json
import sys

import glanceclient_images
import glanceclient_imports
import glanceclient_metadefs
from glanceclient.v2.client import Client
from keystoneauth1 import loading, session
from shared import Watched, public_methods


def connect(login):
    """Return the client for a login."""
    plugin = loading.get_plugin_loader(login["auth_type"]).load_from_options(**login["auth"])
    region = login.get("region_name")
    return Client(session=session.Session(auth=plugin), region_name=region, service_type="image", interface="public")


def verbs_of(client):
    """Return the methods of all controllers of a client, as ``images.create``."""
    controllers = {name: type(value) for name, value in vars(client).items()}
    return {
        f"{name}.{method}"
        for name, kind in controllers.items()
        if kind.__module__.startswith("glanceclient.v2.")
        for method in public_methods(kind)
    }


def main():
    """Do everything, print the facts."""
    task = json.load(sys.stdin)
    called = set()
    clients = {identity: connect(login) for identity, login in task["logins"].items()}
    users = {identity: Watched(client, called) for identity, client in clients.items()}
    # A server may close the connection of an upload that it refused.
    users["member again"] = Watched(connect(task["logins"]["member"]), called)
    facts = {
        "images": dict(glanceclient_images.facts(users, task)),
        "imports": dict(glanceclient_imports.facts(users, task)),
        "metadefs": dict(glanceclient_metadefs.facts(users)),
        "never called": sorted(verbs_of(clients["member"]) - called),
    }
    json.dump(facts, sys.stdout)


main()
