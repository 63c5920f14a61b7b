"""Encoding of plain bytes, and their lines as text.

UTF-8 and UTF-16 are told by their byte order mark or their form. Of the rest only cp949 (Korean
Excel) and cp1252 (Western Europe) are read, and only if what comes out looks like such a
language: a wrong guess gives letters that nobody wrote.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

from tl_core.errors import DataError

SAMPLE_BYTES = 1 << 20
CHUNK_BYTES = 1 << 20
LONGEST_LINE = 20_000_000  # characters; no reader of records takes so long a one
HEAD_LINES = 2_000
HEAD_CHARACTERS = 2_000_000
FEW_BYTES = 3  # so many control characters do not make a file binary, however small it is
CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\r\f\v") + b"\x7f"
BROKEN = re.compile("[\udc80-\udcff]")  # what a byte that is not UTF-8 becomes by `surrogateescape`
SAVE = "Save the table as CSV UTF-8 and upload that file."


@dataclass(frozen=True, slots=True)
class Source:
    """Plain bytes with the codec that reads them; `name` is for error sentences."""

    plain: bytes
    codec: str
    name: str

    @property
    def encoding(self) -> str:
        return self.codec.removesuffix("-le").removesuffix("-be")

    def lines(self) -> Iterator[str]:
        """The text line by line, from the start; CRLF, LF and CR all come out as LF.

        In UTF-8 a broken byte comes out as a lone surrogate (see BROKEN), so one bad row does
        not cost the file. A line longer than LONGEST_LINE comes in pieces.
        """
        errors = "surrogateescape" if self.codec.startswith("utf-8") else "strict"
        stream = io.TextIOWrapper(io.BytesIO(self.plain), encoding=self.codec, errors=errors, newline=None)
        return iter(partial(stream.readline, LONGEST_LINE), "")

    def head(self) -> list[str]:
        """The first lines, as many as are enough to judge the form of the file by."""
        lines: list[str] = []
        left = HEAD_CHARACTERS
        for line in islice(self.lines(), HEAD_LINES):
            left -= len(line)
            if left < 0:
                break
            lines.append(line)
        return lines


def decode(plain: bytes, name: str) -> Source:
    """`plain` with its codec; DataError if it is binary or in no encoding that is read here."""
    codec = _marked(plain) or _unmarked_utf16(plain)
    if codec and codec != "utf-8-sig":
        if _decodes(plain, codec) and not _is_binary(_sample(plain, codec).encode("utf-8", "ignore")):
            return Source(plain, codec, name)
        raise DataError(
            "{name} begins like UTF-16 text but is broken or cut off. {save}", name=name, save=SAVE
        )
    if _is_binary(plain[:SAMPLE_BYTES]):
        raise DataError("{name} holds binary data, not text. {save}", name=name, save=SAVE)
    if _is_utf8(plain):
        return Source(plain, codec or "utf-8", name)
    for legacy, plausible in (("cp949", _looks_korean), ("cp1252", _looks_western)):
        if not codec and _decodes(plain, legacy) and plausible(_foreign_sample(plain, legacy)):
            return Source(plain, legacy, name)
    raise DataError(
        "{name} is in an encoding that was not recognised; read are UTF-8, UTF-16, cp949 and cp1252. {save}",
        name=name,
        save=SAVE,
    )


def _marked(plain: bytes) -> str | None:
    """The codec that a byte order mark names."""
    if plain.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    return "utf-16" if plain.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else None


def _unmarked_utf16(plain: bytes) -> str | None:
    """UTF-16 without a mark: blanks, commas and line ends put NULs on one side of the pairs."""
    sample = plain[: SAMPLE_BYTES & ~1]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    enough = len(sample) / 20  # a tenth of the pairs
    for codec, near, far in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if near > enough and near > 5 * far and _decodes(plain, codec):
            return None if "\0" in _sample(plain, codec) else codec
    return None


def _is_binary(sample: bytes) -> bool:
    """Whether more than 1 % are NULs or other control characters."""
    controls = len(sample) - len(sample.translate(None, CONTROLS))
    return controls > max(FEW_BYTES, len(sample) / 100)


def _decodes(plain: bytes, codec: str) -> bool:
    """Whether all of `plain` is well-formed; chunk by chunk, so that no second copy stands in memory."""
    decoder = codecs.getincrementaldecoder(codec)("strict")
    try:
        for start in range(0, len(plain), CHUNK_BYTES):
            decoder.decode(plain[start : start + CHUNK_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _sample(plain: bytes, codec: str) -> str:
    """The beginning as text; a character cut by the sample's end is left out."""
    return codecs.getincrementaldecoder(codec)("strict").decode(plain[:SAMPLE_BYTES])


def _is_utf8(plain: bytes) -> bool:
    """Whether this is UTF-8, up to a few broken bytes: at most one in ten characters beyond ASCII."""
    if _decodes(plain, "utf-8"):
        return True
    broken = beyond_ascii = 0
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    for start in range(0, len(plain), CHUNK_BYTES):
        chunk = plain[start : start + CHUNK_BYTES]
        text = decoder.decode(chunk, final=start + CHUNK_BYTES >= len(plain))
        broken += len(BROKEN.findall(text))
        beyond_ascii += len(text) - len(text.encode("ascii", "ignore"))
    return beyond_ascii > 10 * broken


def _foreign_sample(plain: bytes, codec: str) -> str:
    """A sample from the first line that is not all ASCII: only there can a language be told."""
    match = re.search(rb"[\x80-\xff]", plain)
    start = plain.rfind(b"\n", 0, match.start()) + 1 if match else 0
    return _sample(plain[start : start + SAMPLE_BYTES], codec)


def _looks_korean(text: str) -> bool:
    """Whether half of what is beyond ASCII are common Hangul syllables, and almost nothing Hanja.

    French or German read as cp949 gives rare syllables or fails, Chinese gives Hanja. Common
    syllables are those of KS X 1001: lead byte B0-C8, trail byte from A1; Hanja lead from CA.
    Jamo (ㅋㅋ, ㅠㅠ) have the lead A4.
    """
    pairs = re.sub(r"[\x00-\x80]", "", text).encode("cp949", "ignore")
    leads, trails = pairs[::2], pairs[1::2]
    standard = [lead for lead, trail in zip(leads, trails) if trail >= 0xA1]
    common = sum(0xB0 <= lead <= 0xC8 or lead == 0xA4 for lead in standard)
    hanja = sum(0xCA <= lead <= 0xFD for lead in standard)
    return 2 * common >= len(leads) and 10 * hanja <= len(leads)


def _looks_western(text: str) -> bool:
    """Whether most letters are ASCII, as in every language that is written in cp1252."""
    plain_letters = sum(map(str.isalpha, text.encode("ascii", "ignore").decode("ascii")))
    return len(text) - len(text.encode("ascii", "ignore")) <= plain_letters
