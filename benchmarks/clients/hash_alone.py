"""The yardstick: a thread for each hash reads and hashes files. ``hash_alone.py ALGORITHM[+ALGORITHM] PATH ...``."""

import hashlib
import json
import os
import sys
import threading
import time


def main() -> None:
    """Print what it took, without the start of the interpreter."""
    algorithms, *paths = sys.argv[1:]
    threads = [threading.Thread(target=digest, args=(name, paths)) for name in algorithms.split("+")]
    before, began = os.times(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds, after = time.perf_counter() - began, os.times()
    cpu = after.user + after.system - before.user - before.system
    print(json.dumps({"seconds": seconds, "cpu": cpu}))


def digest(algorithm, paths):
    """Read and hash the files, one after the other."""
    buffer = bytearray(1 << 20)
    view = memoryview(buffer)
    for path in paths:
        total = hashlib.new(algorithm, usedforsecurity=False)
        with open(path, "rb", buffering=0) as file:
            while count := file.readinto(buffer):
                total.update(view[:count])
        total.hexdigest()


main()
