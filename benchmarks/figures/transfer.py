"""Whole images up and down, verified, beside the hash alone, curl and the other clients."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.figure import Figure, compare, unavailable
from benchmarks.measure import Sample, alternate, command
from benchmarks.plan import DATA_SETS, Plan
from benchmarks.services import (
    VENVS,
    Target,
    curl_download,
    curl_upload,
    has,
    run_bare,
    run_embedded,
    run_peer,
    use,
)

__all__ = ["download", "upload", "upload_glance"]

_HASH = Path(__file__).parents[1] / "clients" / "hash_alone.py"
_PYTHON = VENVS.parent / ".venv" / "bin" / "python"
#: Name of images that a client makes by itself.
_MADE = "bench-made"
_SLOWER = "sha512 alone or curl, the slower"
#: Processor time only.
_BOTH = "sha512 alone and curl"
_SPREAD = "both hashes and curl, over all cores"
_WHAT = {
    "random": "one image of random bytes",
    "zeros": "one image, nine tenths of it zeros",
    "many": "64 images, together as large",
}


def upload(plan: Plan) -> Iterator[Figure]:
    """Upload to the embedded service, with both of its hashes, beside md5 in one thread."""
    with run_embedded() as sha512, run_embedded(hash_algorithm="sha256") as sha256:
        for data_set in DATA_SETS:
            files = plan.files(data_set)
            samples = alternate(
                {
                    "md5 alone": partial(hash_alone, "md5", files),
                    "ecl-image, sha512": partial(_upload, sha512, files),
                    "ecl-image, sha256": partial(_upload, sha256, files),
                    # The service computes md5 and its own hash, the client the latter.
                    "the hashes, sha512": partial(hash_alone, "md5+sha512+sha512", files),
                    "the hashes, sha256": partial(hash_alone, "md5+sha256+sha256", files),
                },
                plan.runs,
            )
            for algorithm, goal in (("sha512", 2.2), ("sha256", 1.8)):
                yield compare(
                    f"upload.{data_set}.{algorithm}",
                    f"upload to the embedded service ({algorithm}), {_WHAT[data_set]}",
                    samples,
                    f"ecl-image, {algorithm}",
                    "md5 alone",
                    goal=goal,
                    note="Verified by the client against the service's hash, durable before it is answered.",
                )
                yield compare(
                    f"upload.{data_set}.{algorithm}.limit",
                    f"the limit of an upload ({algorithm}), {_WHAT[data_set]}",
                    samples,
                    f"the hashes, {algorithm}",
                    "md5 alone",
                    goal=None,
                    note="The three hashes of both sides, on the same cores, and nothing else.",
                )


def upload_glance(plan: Plan) -> Iterator[Figure]:
    """Upload with curl, to the embedded service and to Glance."""
    title = "upload with curl, the embedded service against Glance 33"
    if not has("glance"):
        yield unavailable("upload-glance", title, "no Glance in .venvs", goal=4, at_most=False)
        return
    bare_folder = plan.empty_folder("bare")
    with run_embedded() as ours, run_peer() as glance, run_bare(bare_folder) as bare:
        for data_set in DATA_SETS:
            files = plan.files(data_set)
            samples = alternate(
                {
                    "embedded service": partial(_curl_upload, ours, files),
                    "Glance 33": partial(_curl_upload, glance, files),
                    "a bare service": partial(_curl_bare, bare, bare_folder, files),
                    "md5 alone": partial(hash_alone, "md5", files),
                    "both hashes": partial(hash_alone, "md5+sha512", files),
                },
                plan.runs,
            )
            samples[_SPREAD] = [
                Sample((hashes.cpu + client.cpu) / (os.cpu_count() or 1))
                for hashes, client in zip(samples["both hashes"], samples["embedded service"], strict=True)
            ]
            yield compare(
                f"upload-glance.{data_set}",
                f"{title}, {_WHAT[data_set]}",
                samples,
                "embedded service",
                "Glance 33",
                goal=4,
                at_most=False,
                note="Both compute md5 and sha512. Ours is on the disk (fsync) before it is answered, Glance's is not.",
            )
            yield compare(
                f"upload-glance.{data_set}.bare",
                f"a bare service in Python against Glance 33, {_WHAT[data_set]}",
                samples,
                "a bare service",
                "Glance 33",
                goal=None,
                at_most=False,
                note="Receives, hashes twice, writes, syncs, and nothing else: no HTTP but the length, no token, no"
                " database, no inspection (`bare_service.py`).",
            )
            yield compare(
                f"upload-glance.{data_set}.limit",
                f"the limit against Glance 33, {_WHAT[data_set]}",
                samples,
                "md5 alone",
                "Glance 33",
                goal=None,
                at_most=False,
                note="A service that received and wrote at no cost, and only computed md5: one thread's work.",
            )
            yield compare(
                f"upload-glance.{data_set}.cores-limit",
                f"the limit of these cores against Glance 33, {_WHAT[data_set]}",
                samples,
                _SPREAD,
                "Glance 33",
                goal=None,
                at_most=False,
                note="What both hashes and curl itself take, spread over all cores without a gap: a service that"
                " received and wrote at no cost.",
            )


def download(plan: Plan) -> Iterator[Figure]:
    """Download to files, beside the hash alone, curl, and the clients that verify."""
    with run_embedded() as service:
        for data_set in DATA_SETS:
            with _stored(service, plan.files(data_set)) as images:
                yield from _downloads(plan, service, data_set, images)


def _downloads(plan: Plan, service: Target, data_set: str, images: list[str]) -> Iterator[Figure]:
    files = plan.files(data_set)
    to_files: dict[str, Callable[[list[Path]], Sample]] = {"curl": partial(curl_download, service, images)}
    for client in ("ecl-image", "openstacksdk", "glanceclient"):
        if has(client):
            to_files[client] = partial(_download, client, service, images)

    def fresh(run: Callable[[list[Path]], Sample]) -> Sample:
        paths = plan.outputs(data_set)
        try:
            sample = run(paths)
            _check_same(files, paths)
        finally:
            for path in paths:
                path.unlink(missing_ok=True)
        return sample

    contenders = {name: partial(fresh, run) for name, run in to_files.items()}
    samples = alternate({"sha512 alone": partial(hash_alone, "sha512", files), **contenders}, plan.runs)
    samples[_SLOWER] = [
        max(pair, key=lambda sample: sample.seconds)
        for pair in zip(samples["sha512 alone"], samples["curl"], strict=True)
    ]
    # Neither is a client's work for the other: curl receives and writes, the hash is computed from what was read.
    samples[_BOTH] = [
        replace(hashed, cpu=hashed.cpu + moved.cpu)
        for hashed, moved in zip(samples["sha512 alone"], samples["curl"], strict=True)
    ]
    key, what = f"download.{data_set}", _WHAT[data_set]
    yield compare(
        key,
        f"download to a file, {what}",
        samples,
        "ecl-image",
        _SLOWER,
        goal=1.25,
        note="Verified before the file has its name.",
    )
    gib = len(files) * files[0].stat().st_size / (1 << 30)
    for peer in ("openstacksdk", "glanceclient"):
        if peer not in samples:
            yield unavailable(f"{key}.{peer}", f"download, ecl-image against {peer}, {what}", "no .venvs/stock")
            continue
        yield compare(
            f"{key}.{peer}",
            f"download with verification, ecl-image against {peer}, {what}",
            samples,
            "ecl-image",
            peer,
            goal=1.5,
            at_most=False,
        )
        yield compare(
            f"{key}.{peer}.cpu",
            f"processor time of a download, the client alone, against {peer}, {what}",
            samples,
            "ecl-image",
            peer,
            goal=0.6,
            by="cpu",
            unit="CPU s/GiB",
            scale=1 / gib,
        )
        yield from _limits(f"{key}.{peer}", peer, what, samples, 1 / gib)


def _limits(key: str, peer: str, what: str, samples: Mapping[str, Sequence[Sample]], scale: float) -> Iterator[Figure]:
    """Show what a client could reach against *peer* that did nothing but hash, or moved the bytes as curl does."""
    title = f"the limit against {peer}, {what}"
    yield compare(
        f"{key}.limit",
        f"{title}: time",
        samples,
        _SLOWER,
        peer,
        goal=None,
        at_most=False,
        note="A client that hid the whole hash behind the transfer, or the transfer behind the hash.",
    )
    yield compare(
        f"{key}.cpu-limit",
        f"{title}: processor",
        samples,
        "sha512 alone",
        peer,
        goal=None,
        by="cpu",
        unit="CPU s/GiB",
        scale=scale,
        note="A client that received and wrote at no cost, and only hashed.",
    )
    yield compare(
        f"{key}.cpu-together",
        f"{title}: processor of curl and the hash together",
        samples,
        _BOTH,
        peer,
        goal=None,
        by="cpu",
        unit="CPU s/GiB",
        scale=scale,
        note="curl, written in C, receives and writes the image; the hash is computed beside it.",
    )


def hash_alone(algorithm: str, files: Sequence[Path]) -> Sample:
    """Read and hash *files*, in a thread for each hash of *algorithm* (joined with ``+``)."""
    return command([_PYTHON, _HASH, algorithm, *files])


def _upload(target: Target, files: Sequence[Path]) -> Sample:
    paths = [str(path) for path in files]
    if len(files) > 1:
        touch = target.queued("bench")
        try:
            return use("ecl-image", target, "upload_many", name=_MADE, paths=paths, touch=touch[0])
        finally:
            made = target.call("GET", f"/v2/images?name={_MADE}&limit=1000")["images"]
            target.delete([*touch, *(image["id"] for image in made)])
    images = target.queued()
    try:
        return use("ecl-image", target, "upload", images=images, paths=paths, touch=images[0])
    finally:
        target.delete(images)


def _download(client: str, target: Target, images: Sequence[str], paths: Sequence[Path]) -> Sample:
    names = [str(path) for path in paths]
    return use(client, target, "download", images=images, paths=names, touch=images[0])


def _curl_upload(target: Target, files: Sequence[Path]) -> Sample:
    images = target.queued(count=len(files))
    try:
        return curl_upload(target, images, files)
    finally:
        target.delete(images)


def _curl_bare(target: Target, folder: Path, files: Sequence[Path]) -> Sample:
    try:
        sample = curl_upload(target, [path.name for path in files], files)
        _check_same(files, sorted(folder.iterdir(), key=lambda path: int(path.name)))
    finally:
        for path in folder.iterdir():
            path.unlink()
    return sample


@contextlib.contextmanager
def _stored(target: Target, files: Sequence[Path]) -> Iterator[list[str]]:
    images = target.queued(count=len(files))
    curl_upload(target, images, files)
    try:
        yield images
    finally:
        target.delete(images)


def _check_same(files: Sequence[Path], copies: Sequence[Path]) -> None:
    """The clients have verified the hashes; this catches a client that wrote nothing at all."""
    for file, copy in zip(files, copies, strict=True):
        if os.stat(file).st_size != os.stat(copy).st_size:
            raise AssertionError(f"{copy.name} has not the size of {file.name}")
