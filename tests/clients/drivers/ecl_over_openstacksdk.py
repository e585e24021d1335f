"""
Asks for images with this library over a connection of openstacksdk, in each way that there is.

Reads a task from standard input: the address of Keystone, and settings of the connection. Each way asks for images
that have its own name. Writes the error of each way, or null, to standard output.
"""

import json
import sys

import openstack

import ecl
from ecl.image.v2._proxy import Proxy


def ways(conn):
    """Yield each way's name, and what makes an image service of *conn*."""
    yield "Proxy(conn)", lambda: Proxy(conn)
    yield "Proxy(conn.session)", lambda: Proxy(conn.session)
    yield "Proxy(conn.image)", lambda: Proxy(conn.image)
    yield "connect(session=conn)", lambda: ecl.connect(session=conn).image
    yield "connect(session=conn.session)", lambda: ecl.connect(session=conn.session).image
    yield "connect(session=conn.image)", lambda: ecl.connect(session=conn.image).image
    yield "from_config(conn.config)", lambda: ecl.connection.from_config(cloud_config=conn.config).image
    yield "another region", lambda: ecl.connect(session=conn.session, region_name="RegionThree").image
    yield "another interface", lambda: ecl.connect(session=conn, interface="admin").image


def main():
    """Go all ways, print how they ended."""
    task = json.load(sys.stdin)
    auth = {"auth_url": task["auth_url"], "username": "u", "password": "p", "project_id": "t", "user_domain_id": "d"}
    conn = openstack.connect(load_yaml_config=False, load_envvars=False, auth=auth, **task["settings"])
    ended = {}
    for name, make in ways(conn):
        try:
            list(make().images(name=name))
            ended[name] = None
        except Exception as exc:
            ended[name] = f"{type(exc).__name__}: {exc}"
    json.dump(ended, sys.stdout)


main()
