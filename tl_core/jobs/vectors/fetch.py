"""Word vectors from gensim-data in a worker: downloaded, checked by gensim's MD5, kept like a loaded file.

gensim is asked for the file's path only: its usual way would run the Python code that is downloaded with it.
"""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tl_core.catalog.vector_sets import add_vectors
from tl_core.errors import DataError, RunError, TLError
from tl_core.jobs.progress import JobProgress
from tl_core.jobs.trainings import drive_alone, submit_job
from tl_core.records import read_record, write_record
from tl_core.runs.store import Job, Store
from tl_core.training.events import Progress, Training
from tl_core.whole_files import remove

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{2,60}")
RESULT = "result.json"
FOLDER = "gensim-data"  # under the cache
PARTS = "parts"  # in that folder: downloads that are not whole
POLL_SECONDS = 0.5


def submit_fetch(store: Store, name: str, top: int = 0) -> Job:
    """Start a worker that downloads the vectors of this name; `top` keeps the first so many words, 0 all."""
    name = name.strip()
    if not NAME.fullmatch(name):
        raise DataError(
            "{name!r} is not a name of gensim-data, which has small letters, digits, - and _, such as "
            "glove-twitter-25.",
            name=name[:80],
        )
    if top < 0:
        raise DataError("The number of words to keep must be 0 for all, or more; got {top}.", top=top)
    _check_online(store)
    return submit_job(
        store, "fetch_vectors", f"{name} from gensim-data", {"name": name, "top": top}, _no_data
    )


def _no_data(_: Path) -> None:
    """The job brings no data: the name says it all."""


def _check_online(store: Store) -> None:
    if store.settings.offline:
        raise RunError(
            "This installation stays off the network (HF_HUB_OFFLINE is set). Load a file instead."
        )


def run_fetch(store: Store, job: Job) -> None:
    """The worker's side of `submit_fetch`: leaves the set's name in `result.json`."""
    _check_online(store)
    name, top = str(job.record.config["name"]), int(job.record.config["top"])
    if not NAME.fullmatch(name):
        raise DataError("{name!r} is not a name of gensim-data.", name=name[:80])
    progress = JobProgress(job.folder / "progress.json", {"download": 3.0, "read": 1.0})
    progress.update("download", "Asking for the file", 0.0)
    path = drive_alone(
        job, progress, "download", "Downloading", _download(store.settings.cache / FOLDER, name)
    )
    progress.finish("download")
    added = drive_alone(job, progress, "read", "Reading", add_vectors(store, path, name, top=top or None))
    write_record(job.folder / RESULT, {"vectors": added.name})
    progress.finish("read")


def fetched_vectors(job: Job) -> str:
    """The name of the set that a finished download became; RunError if it has none."""
    record = read_record(job.folder / RESULT)
    if record is None:
        raise RunError("Download {job} is {status}: it has no word vectors.", job=job.id, status=job.status)
    return str(record["vectors"])


def _download(folder: Path, name: str) -> Training[Path]:
    """Path of the file; Progress in bytes. gensim cannot be stopped, so it loads in a thread that ends
    with the process.
    """
    remove(folder / PARTS, folder / f"{name}_tmp")  # of a download that was cut short
    loading = _Loading(folder, name)
    loading.start()
    while loading.is_alive():
        loading.join(POLL_SECONDS)
        yield Progress(loading.came, max(1, loading.size))
    if loading.error is not None:
        raise _told(loading.error, name) from loading.error
    assert loading.path is not None
    return loading.path


class _Loading(threading.Thread):
    """One download by gensim: `path` or `error` once it has ended, `came` of `size` bytes while it goes on."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(daemon=True)
        self.folder, self.data_name = folder, name
        self.size = 0
        self.path: Path | None = None
        self.error: Exception | None = None

    @property
    def came(self) -> int:
        return sum(map(_size, (self.folder / PARTS).rglob("*.gz*")))

    def run(self) -> None:
        from gensim import downloader

        try:
            with _kept_in(downloader, self.folder):
                self.size = _known_size(downloader, self.data_name)
                path = Path(downloader.load(self.data_name, return_path=True)).resolve()
            if not path.is_relative_to(self.folder.resolve()):
                raise RunError(
                    "{data_name} would lie at {path}, outside {folder}; it is not read.",
                    data_name=self.data_name,
                    path=path,
                    folder=self.folder,
                )
            self.path = path
        except Exception as error:  # of the network, the disk, or gensim's own plain Exception
            self.error = error


@contextmanager
def _kept_in(downloader: Any, folder: Path) -> Iterator[None]:
    """gensim puts its files, also those that are not whole yet, into this folder and nowhere else."""
    (folder / PARTS).mkdir(parents=True, exist_ok=True)
    before = downloader.BASE_DIR, tempfile.tempdir
    downloader.BASE_DIR, tempfile.tempdir = str(folder), str(folder / PARTS)
    try:
        yield
    finally:
        downloader.BASE_DIR, tempfile.tempdir = before


def _known_size(downloader: Any, name: str) -> int:
    """The bytes of the file, 0 if gensim-data does not tell; DataError for a name that is not one of its models."""
    known = downloader.info()
    if name in known["models"]:
        return int(known["models"][name].get("file_size", 0))
    if name in known["corpora"]:
        raise DataError("{name} is a collection of texts in gensim-data, not word vectors.", name=name)
    names = [name for name in known["models"] if NAME.fullmatch(name)]
    raise DataError(
        "gensim-data has no word vectors {name}. It has: {names}.", name=name, names=", ".join(names)
    )


def _told(error: Exception, name: str) -> TLError:
    """The error as one clear line."""
    if isinstance(error, TLError):
        return error
    if "hecksum" in str(error):
        return RunError("{name} came damaged: its checksum differs. Resume to download it anew.", name=name)
    if "local cache" in str(error):  # gensim's words for a list that it could not get
        reason = "the list of gensim-data cannot be reached"
    else:
        reason = str(getattr(error, "reason", "") or error or type(error).__name__).splitlines()[0][:200]
    return RunError(
        "{name} cannot be downloaded ({reason}). Check the network and resume, or load a file.",
        name=name,
        reason=reason,
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # moved on meanwhile
        return 0
