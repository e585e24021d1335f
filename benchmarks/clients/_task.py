"""What every client's driver has in common. Runs under Python 3.8 and later, and imports little."""

import json
import os
import sys
import time


def run(connect, work):
    """
    Do the task that the only argument describes in JSON, and print what its call took.

    Args:
        connect: Takes the task's login, returns a client.
        work: Name of the work to function; each takes the client and the task.
    """
    task = json.loads(sys.argv[1])
    client = connect(task["login"])
    if task.get("touch"):
        # Log in and open the connection first: what is measured is the call.
        work["get"](client, {"image": task["touch"]})
    before, began = os.times(), time.perf_counter()
    facts = work[task["work"]](client, task) if task["work"] != "idle" else None
    seconds, after = time.perf_counter() - began, os.times()
    cpu = after.user + after.system - before.user - before.system
    print(json.dumps({"seconds": seconds, "cpu": cpu, "facts": facts}))


def pairs(task):
    """Return image and path of each transfer of a task."""
    return [(image, task["paths"][number]) for number, image in enumerate(task["images"])]


def expect(condition, what):
    """End with an error unless the condition holds: nobody is measured for work not done."""
    if not condition:
        sys.exit("not done: " + what)
