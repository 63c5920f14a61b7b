"""A tokenizer whose tokens are single characters, the space included, as KoCharELECTRA's.

Its rules: `list(" ".join(text.split()))`, no lower case, what is not in the vocabulary is [UNK]
(monologg/KoCharELECTRA, `tokenization_kocharelectra.py`). transformers would take such a vocabulary
for BERT's, whose tokens never hold a space. Knows neither torch nor a model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tl_core.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

VOCABULARY = "vocab.txt"
NEEDED = ("[UNK]", "[CLS]", "[SEP]")
SPECIAL = (*NEEDED, "[PAD]", "[MASK]")
BRACKETED = re.compile(r"\[.+\]")  # [CLS], [unused7]
WHITE = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())  # what str.split() splits at


def character_tokenizer(vocabulary: Mapping[str, int] | Path) -> Tokenizer:
    """A tokenizer of characters from entries and their ids, or from a `vocab.txt`, an entry a line.

    `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]` with type ids 0 and 1. Offsets are those of the text
    as it was given; the one space that a run of white space becomes lies at the run. ModelError if
    the vocabulary cannot be read or lacks a special token.
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    entries = _read(vocabulary) if isinstance(vocabulary, Path) else dict(vocabulary)
    missing = [token for token in NEEDED if token not in entries]
    if missing:
        raise ModelError(
            "The vocabulary lacks {missing}. Use the {vocabulary} that the model was trained with.",
            missing=", ".join(missing),
            vocabulary=VOCABULARY,
        )
    tokenizer = Tokenizer(models.WordLevel(entries, unk_token="[UNK]"))
    one_space = normalizers.Replace(Regex(f"[{WHITE}]+"), " ")
    tokenizer.normalizer = normalizers.Sequence([one_space, normalizers.Strip()])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), behavior="isolated")
    tokenizer.add_special_tokens([token for token in SPECIAL if token in entries])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, entries[token]) for token in ("[CLS]", "[SEP]")],
    )
    return tokenizer


def is_character_vocabulary(folder: Path) -> bool:
    """Whether a folder's `vocab.txt` holds the space and, [special] tokens aside, single characters."""
    path = folder / VOCABULARY
    if not path.is_file():
        return False
    try:
        entries = _read(path)
    except ModelError:
        return False
    return " " in entries and all(len(entry) == 1 or BRACKETED.fullmatch(entry) for entry in entries)


def _read(path: Path) -> dict[str, int]:
    """The lines of a file, numbered from 0. Only line feeds part them: an entry may be any other blank."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # read_text makes \r\n to \n
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            "{path} cannot be read ({error}). Get the model's files again.", path=path, error=error
        ) from error
    if lines[-1] == "":
        lines.pop()
    return {entry: at for at, entry in enumerate(lines)}
