"""Stream an image from one cloud of clouds.yaml to another, without a file in between.

python examples/copy_to_another_cloud.py NAME_OR_ID FROM_CLOUD TO_CLOUD
"""

from __future__ import annotations

import sys

import ecl
from ecl.image import transfer


def main(name: str, from_cloud: str, to_cloud: str) -> None:
    source, destination = ecl.connect(from_cloud).image, ecl.connect(to_cloud).image
    image = source.find_image(name, ignore_missing=False)
    copy = transfer.copy(source, image, destination, progress=lambda done, total: print(done, "of", total))
    print(f"{copy.id} {copy.name} {copy.os_hash_algo}:{copy.os_hash_value}")


if __name__ == "__main__":
    main(*sys.argv[1:])
