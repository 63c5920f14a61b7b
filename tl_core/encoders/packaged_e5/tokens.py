"""The tokenizer of the packaged E5: XLM-RoBERTa's unigram pieces, made from the file. Knows no torch.

The file lists what its normaliser (SentencePiece's nmt_nfkc) makes of single characters. That is
NFKC but for the three rules below; NFKC, as nmt_nfkc, also composes sequences (Hangul jamo), which
the file's list alone would not.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from tl_core.encoders.packaged_e5.file import E5File

if TYPE_CHECKING:
    from tokenizers import Tokenizer, normalizers

# Rule 3: NFKC would make the wide tilde of Korean and Japanese texts an ASCII one. A private
# character, which no text holds, carries it past.
WIDE_TILDE, CARRIER = "\uff5e", "\U0010fff0"


def build_e5_tokenizer(file: E5File) -> Tokenizer:
    """A fast tokenizer from the file's pieces and scores; about a second."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

    pieces, special = file.pieces(), file.special
    scored = list(zip(pieces, file.scores.tolist(), strict=True))
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=special.unknown))
    tokenizer.normalizer = _normaliser(file)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    tokenizer.decoder = decoders.Metaspace()
    begin, end = pieces[special.begin], pieces[special.end]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}",
        pair=f"{begin} $A {end} {end} $B {end}",
        special_tokens=[(begin, special.begin), (end, special.end)],
    )
    named = [begin, pieces[special.pad], end, pieces[special.unknown]]
    tokenizer.add_special_tokens([*named, AddedToken("<mask>", lstrip=True, special=True)])
    return tokenizer


def _normaliser(file: E5File) -> normalizers.Normalizer:
    from tokenizers import Regex, normalizers

    # Rule 1: control characters vanish. Rule 2: odd white space and invisible marks are spaces.
    dropped = [character for character, stands in file.normaliser.items() if not stands]
    spaces = [
        character
        for character, stands in file.normaliser.items()
        if stands == " " and unicodedata.normalize("NFKC", character) != " "
    ]
    return normalizers.Sequence(
        [
            normalizers.Replace(Regex(_one_of(dropped)), ""),
            normalizers.Replace(Regex(_one_of(spaces)), " "),
            normalizers.Replace(WIDE_TILDE, CARRIER),
            normalizers.NFKC(),
            normalizers.Replace(CARRIER, WIDE_TILDE),
        ]
    )


def _one_of(characters: list[str]) -> str:
    return "[" + "".join(map(re.escape, characters)) + "]"
