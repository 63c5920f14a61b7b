"""The plain bytes of an upload: decompressed within a limit, known not to be some other kind of file.

What a file is, its first bytes say; its name decides nothing. Knows nothing of encodings or tables.
"""

from __future__ import annotations

import bz2
import gzip
import io
import zlib

from tl_core.errors import DataError

CHUNK_BYTES = 1 << 20
GZIP, BZIP2 = b"\x1f\x8b", b"BZh"
SAVE = "Save the table as CSV UTF-8 and upload that file."

# (first bytes, what it is); the first match counts
FOREIGN = (
    (GZIP, "a compressed file inside a compressed file"),
    (BZIP2, "a compressed file inside a compressed file"),
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"PK\x07\x08", "a zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Office file (xls, doc)"),
    (b"PAR1", "a Parquet file"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\x80\x02", "a Python pickle, which is never opened because it can run code"),
    (b"\x80\x03", "a Python pickle, which is never opened because it can run code"),
    (b"\x80\x04", "a Python pickle, which is never opened because it can run code"),
    (b"\x80\x05", "a Python pickle, which is never opened because it can run code"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a rar archive"),
    (b"\xfd7zXZ", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"ARROW1", "an Arrow file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy file"),
    (b"{\\rtf", "an RTF document"),
)
MARKUP = (
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<?xml", "an XML document"),
    (b'{"', "JSON"),
    (b'[{"', "JSON"),
)


def unpack(content: bytes, name: str, max_file_bytes: int, max_plain_bytes: int) -> bytes:
    """The plain bytes of `content`, which may be gzip or bzip2.

    Raises DataError for an empty, too large, broken or foreign file. Decompression goes chunk by
    chunk and ends where `max_plain_bytes` is passed, so a gzip bomb costs no more than that.
    """
    if len(content) > max_file_bytes:
        raise DataError(
            "{name} has more than {max_file_bytes:.4g} MB, which is the most that is read. "
            "Compress it with gzip, or upload a part of it.",
            name=name,
            max_file_bytes=max_file_bytes / 2**20,
        )
    plain = inflate(content, name, max_plain_bytes)
    if not plain or plain.isspace():
        raise DataError("{name} is empty. Upload a table with a column of texts.", name=name)
    kind = foreign_kind(plain)
    if kind:
        raise DataError("{name} is {kind}, not a table of text. {save}", name=name, kind=kind, save=SAVE)
    return plain


def inflate(content: bytes, name: str, limit: int) -> bytes:
    """`content` without its gzip or bzip2 packing, if it has one; DataError where it is broken or too large."""
    if content.startswith(GZIP):
        return _inflate(gzip.GzipFile(fileobj=io.BytesIO(content)), name, limit)
    if content.startswith(BZIP2) and content[3:4].isdigit():
        return _inflate(bz2.BZ2File(io.BytesIO(content)), name, limit)
    return content


def foreign_kind(plain: bytes) -> str | None:
    """The kind of file by its first bytes, as a noun; None if nothing speaks against a table."""
    if plain.startswith(b"PK\x03\x04") and (b"[Content_Types].xml" in plain[:4096] or b"xl/" in plain[:4096]):
        return "an Excel or Office file (xlsx, docx)"
    if plain[257:262] == b"ustar":
        return "a tar archive of files"
    start = plain[:64].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for table, head in ((FOREIGN, plain), (MARKUP, start)):
        for magic, kind in table:
            if head.startswith(magic) and (magic != BZIP2 or head[3:4].isdigit()):
                return kind
    return None


def _inflate(stream: io.BufferedIOBase, name: str, limit: int) -> bytes:
    """All bytes of a compressed stream; DataError when it is broken or longer than `limit`."""
    chunks: list[bytes] = []
    size = 0
    try:
        while chunk := stream.read(CHUNK_BYTES):
            chunks.append(chunk)
            size += len(chunk)
            if size > limit:
                raise DataError(
                    "{name} unpacks to more than {limit:.4g} MB, which is the most that is read. "
                    "Upload a part of it.",
                    name=name,
                    limit=limit / 2**20,
                )
    except EOFError:
        raise DataError(
            "{name} is cut off: the packed data has no end. Upload the whole file.", name=name
        ) from None
    except (OSError, zlib.error) as error:
        raise DataError(
            "{name} cannot be unpacked ({error}). Pack the file anew and upload it.", name=name, error=error
        ) from None
    return b"".join(chunks)
