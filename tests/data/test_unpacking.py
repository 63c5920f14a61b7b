from __future__ import annotations

import bz2
import gzip
import io
import pickle
import tarfile
import zipfile

import pytest

from tl_core.data.unpacking import foreign_kind, unpack
from tl_core.errors import DataError

PLAIN = b"text,label\ngood,pos\n"
LIMIT = 10_000


def unpacked(content: bytes) -> bytes:
    return unpack(content, "reviews.csv", LIMIT, LIMIT)


def zipped(inner: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(inner, "text,label\n")
    return stream.getvalue()


def test_plain_bytes_pass_unchanged() -> None:
    assert unpacked(PLAIN) == PLAIN


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_compression_is_told_by_the_first_bytes_not_the_name(pack) -> None:
    assert unpacked(pack(PLAIN)) == PLAIN


def test_a_gzip_file_of_several_members_is_read_whole() -> None:
    assert unpacked(gzip.compress(PLAIN) + gzip.compress(b"bad,neg\n")) == PLAIN + b"bad,neg\n"


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_a_bomb_is_cut_off_at_the_limit(pack) -> None:
    with pytest.raises(DataError, match="unpacks to more than"):
        unpacked(pack(b"a" * 5_000_000))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_a_cut_off_compressed_file_is_named_as_such(pack) -> None:
    with pytest.raises(DataError, match=r"reviews\.csv is cut off"):
        unpacked(pack(PLAIN * 10)[:-12])


def test_a_damaged_gzip_file_is_refused() -> None:
    damaged = bytearray(gzip.compress(PLAIN * 100))
    damaged[15:25] = b"\xff" * 10
    with pytest.raises(DataError, match="cannot be unpacked"):
        unpacked(bytes(damaged))


@pytest.mark.parametrize("content", [b"", b"  \r\n\t\n", gzip.compress(b"", mtime=0)])
def test_an_empty_file_is_refused(content: bytes) -> None:
    with pytest.raises(DataError, match="is empty"):
        unpacked(content)


def test_a_too_large_upload_is_refused() -> None:
    with pytest.raises(DataError, match="has more than"):
        unpacked(b"a" * (LIMIT + 1))


def test_a_file_of_exactly_the_limit_is_read() -> None:
    assert len(unpacked(b"a" * LIMIT)) == LIMIT


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "PNG picture"),
        (pickle.dumps({"text": "good"}), "pickle"),
        (pickle.dumps({"text": "good"}, protocol=2), "pickle"),
        (zipped("reviews.csv"), "zip archive"),
        (zipped("xl/workbook.xml"), "Excel"),
        (b"PAR1\x15\x04\x15\x10", "Parquet"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Office"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b'\n {"text": "good", "label": "pos"}\n', "JSON"),
        (gzip.compress(gzip.compress(PLAIN, mtime=0), mtime=0), "inside a compressed file"),
    ],
)
def test_another_kind_of_file_is_named_with_what_to_do(content: bytes, kind: str) -> None:
    with pytest.raises(DataError, match=kind) as caught:
        unpacked(content)
    assert "CSV UTF-8" in str(caught.value)


def test_a_tar_archive_inside_gzip_is_named() -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.csv"), io.BytesIO(b""))
    assert foreign_kind(stream.getvalue()) == "a tar archive of files"


def test_a_header_that_begins_with_pk_is_no_archive() -> None:
    assert foreign_kind(b"PK,text,label\n1,good,pos\n") is None
