"""The plain bytes of a file of word vectors, read front to back, plain or gzip, within a limit.

Whether a file is gzip, its first bytes say. Nothing is unpacked whole in memory, and a gzip bomb
costs no more than the limit.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tl_core.data.unpacking import GZIP
from tl_core.errors import DataError
from tl_core.training.events import Progress, Training

BLOCK_BYTES = 4 * 2**20
PLAIN_PER_KEPT = 4  # unpacked bytes that may be read for each byte of rows kept: a number's text is so long
GZIP_RATIO = 1032  # deflate packs no better (zlib's technical notes)
GIGABYTE, MEGABYTE = 2**30, 2**20


@dataclass(frozen=True, slots=True)
class VectorFile:
    """A file to read: where it lies, its own name for messages, how many words, how much memory."""

    path: Path
    name: str
    top: int | None
    most_bytes: int

    @property
    def size(self) -> int:
        """Bytes of the file as it lies; DataError if it cannot be read."""
        try:
            return self.path.stat().st_size
        except OSError as error:
            raise DataError(
                "{name} cannot be read ({reason}).", name=self.name, reason=error.strerror
            ) from error


class VectorStream:
    """The plain bytes of a file, in the order they stand; a context manager."""

    def __init__(self, file: VectorFile) -> None:
        self.size = file.size
        try:
            self._raw = file.path.open("rb")
        except OSError as error:
            raise DataError(
                "{file} cannot be read ({reason}).", file=file.name, reason=error.strerror
            ) from error
        self._name = file.name
        self._most = PLAIN_PER_KEPT * file.most_bytes
        self._came = 0
        self.packed = self._raw.read(len(GZIP)) == GZIP
        self._raw.seek(0)
        self._plain = gzip.GzipFile(fileobj=self._raw) if self.packed else self._raw

    def __enter__(self) -> VectorStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._raw.close()

    @property
    def progress(self) -> Progress:
        """Progress through the file, as it lies."""
        return Progress(self._raw.tell(), self.size)

    @property
    def plain_bound(self) -> int:
        """So many plain bytes the file holds at most: known for a plain one, a bound for gzip."""
        return self.size * GZIP_RATIO if self.packed else self.size

    def read_block(self) -> bytes:
        """The next plain bytes, as many as are read at once; none at the end."""
        return self.read(BLOCK_BYTES)

    def read(self, count: int) -> bytes:
        """The next `count` plain bytes, fewer only at the end; DataError if the packing is broken or too long."""
        try:
            block = self._plain.read(count)
        except EOFError:
            raise DataError(
                "{name} is cut off: the packed data has no end. Load the whole file.", name=self._name
            ) from None
        except (OSError, zlib.error) as error:
            raise DataError(
                "{name} cannot be unpacked ({error}). Pack the file anew.", name=self._name, error=error
            ) from None
        self._came += len(block)
        if self.packed and self._came > self._most:
            raise DataError(
                "{name} unpacks to more than {size}, which is the most that is read. "
                "Take the first words only (top), or load a part of the file.",
                name=self._name,
                size=size_text(self._most),
            )
        return block


def unpack_events(file: VectorFile, folder: Path) -> Training[Path]:
    """The path to the plain bytes of a file: the file itself, or a copy in `folder` if it is gzip."""
    with VectorStream(file) as stream:
        if not stream.packed:
            return file.path
        target = folder / "plain"
        with target.open("wb") as out:
            while block := stream.read_block():
                try:
                    out.write(block)
                except OSError as error:
                    raise DataError(
                        "{file} cannot be unpacked into {folder} ({reason}). Make room there.",
                        file=file.name,
                        folder=folder,
                        reason=error.strerror,
                    ) from error
                yield Progress(stream.progress.done / 2, stream.size)
    return target


def read_progress(file: VectorFile, plain: Path, share: float) -> Progress:
    """Progress of the work on a file whose plain bytes are read by `share`: unpacking it was the first half."""
    done = share if plain == file.path else (1 + share) / 2
    return Progress(done * file.size, file.size)


def size_text(count: int) -> str:
    """So many bytes for a sentence: "2.4 GB", "350 MB", "60 bytes"."""
    if count >= GIGABYTE:
        return f"{count / GIGABYTE:,.1f} GB"
    return f"{count / MEGABYTE:,.3g} MB" if count >= MEGABYTE else f"{count:,} bytes"
