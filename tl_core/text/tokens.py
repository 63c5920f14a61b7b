"""Tokens of a pretrained tokenizer: ids cut to a length, counts, and how well a vocabulary fits.

A tokenizer here is a bare `tokenizers.Tokenizer` without truncation and padding. It is shared
between threads, so nothing in this module changes its state. Knows neither torch nor a model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import ConfigError, ModelError
from tl_core.text.characters import VOCABULARY, character_tokenizer, is_character_vocabulary

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

CHUNK = 1024  # texts tokenised at once: their encodings weigh far more than their ids
TOKENIZER_FILES = ("vocab.txt", "vocab.json", "spiece.model", "sentencepiece.bpe.model", "tokenizer.model")
# No vocabulary holds the last code point of the second private-use plane.
UNHEARD_OF = "\U0010fffd"


@dataclass(frozen=True, slots=True)
class Encoded:
    """One text as tokens, special tokens included: two lists of T numbers."""

    ids: list[int]
    type_ids: list[int]
    cut: int = 0  # how many tokens of the text did not fit

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class VocabularyFit:
    """Fit of a tokenizer's vocabulary to some texts; special tokens do not count."""

    words: int  # parts between white space
    pieces: int
    unknown_pieces: int

    @property
    def fragments_per_word(self) -> float:
        """Pieces per word, 0 without words; 1 means that every word is in the vocabulary."""
        return self.pieces / self.words if self.words else 0.0

    @property
    def unknown_share(self) -> float:
        """Share of pieces that the vocabulary cannot spell, 0 to 1."""
        return self.unknown_pieces / self.pieces if self.pieces else 0.0


def load_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a model folder, with neither truncation nor padding.

    Reads `tokenizer.json`; without it a vocabulary of single characters gets a tokenizer of its own,
    and from the family's other older files transformers builds one.
    ModelError if there is nothing to build from or it cannot be read.
    """
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path)) if path.is_file() else _converted(folder)
    except ModelError:
        raise
    except Exception as error:  # the Rust side raises bare Exception
        raise ModelError(
            "The tokenizer in {folder} cannot be read ({first_line}). "
            "Get the folder's tokenizer files again.",
            folder=folder,
            first_line=_first_line(error),
        ) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def encode(tokenizer: Tokenizer, texts: Sequence[str], max_tokens: int) -> list[Encoded]:
    """Each of N texts as at most `max_tokens` tokens, special ones included.

    What does not fit is cut from the end of the text; special tokens stay, as in transformers.
    ConfigError if `max_tokens` leaves no room for text.
    """
    special = tokenizer.num_special_tokens_to_add(False)
    if max_tokens <= special:
        raise ConfigError(
            "max_tokens must be at least {special} for this tokenizer, "
            "which adds {wanted_special} tokens to a text; got {max_tokens}.",
            special=special + 1,
            wanted_special=special,
            max_tokens=max_tokens,
        )
    return [_cut(encoding, max_tokens) for encoding in encodings(tokenizer, texts, special_tokens=True)]


def count_tokens(tokenizer: Tokenizer, texts: Sequence[str]) -> NDArray[np.int64]:
    """Tokens of each text before any cut, special ones included: (N,)."""
    lengths = (len(encoding) for encoding in encodings(tokenizer, texts, special_tokens=True))
    return np.fromiter(lengths, dtype=np.int64, count=len(texts))


def vocabulary_fit(tokenizer: Tokenizer, texts: Sequence[str]) -> VocabularyFit:
    """Number of pieces that the words of these texts break into, and of those unknown."""
    lacking = unknown_id(tokenizer)
    pieces = unknown = 0
    for encoding in encodings(tokenizer, texts, special_tokens=False):
        pieces += len(encoding)
        if lacking is not None:
            unknown += encoding.ids.count(lacking)
    return VocabularyFit(sum(len(text.split()) for text in texts), pieces, unknown)


def encodings(
    tokenizer: Tokenizer, texts: Sequence[str], *, special_tokens: bool, with_offsets: bool = False
) -> Iterator[Encoding]:
    """The tokenizer's own encoding of each text, a chunk at a time; offsets cost some time."""
    encode_batch = tokenizer.encode_batch if with_offsets else tokenizer.encode_batch_fast
    for start in range(0, len(texts), CHUNK):
        chunk = list(texts[start : start + CHUNK])
        try:
            yield from encode_batch(chunk, add_special_tokens=special_tokens)
        except TypeError:  # half a surrogate pair, as broken JSON holds it, is no text to Rust
            yield from encode_batch([_whole(text) for text in chunk], add_special_tokens=special_tokens)


def _whole(text: str) -> str:
    """The text with each half of a surrogate pair replaced; every other character keeps its place."""
    return "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in text)


def _cut(encoding: Encoding, max_tokens: int) -> Encoded:
    """The mask marks only tokens that the template added, never a `[SEP]` typed into the text."""
    ids, type_ids = encoding.ids, encoding.type_ids
    excess = len(ids) - max_tokens
    if excess <= 0:
        return Encoded(ids, type_ids)
    end = len(ids)
    mask = encoding.special_tokens_mask
    while end and mask[end - 1]:
        end -= 1
    return Encoded(ids[: end - excess] + ids[end:], type_ids[: end - excess] + type_ids[end:], excess)


def unknown_id(tokenizer: Tokenizer) -> int | None:
    """The id of the unknown piece; None if the model spells every text, as byte-level ones do."""
    model: Any = tokenizer.model
    if hasattr(model, "unk_token"):
        return tokenizer.token_to_id(model.unk_token) if model.unk_token else None
    # Unigram keeps its unk_id to itself; the piece of an unheard-of character betrays it.
    try:
        pieces = model.tokenize(UNHEARD_OF)
    except Exception:  # no unknown piece at all
        return None
    return int(pieces[0].id) if len(pieces) == 1 else None


def _converted(folder: Path) -> Tokenizer:
    if not any((folder / name).is_file() for name in TOKENIZER_FILES):
        raise ModelError(
            "{folder} holds no tokenizer. It needs tokenizer.json or one of {tokenizer_files}: "
            "save the model's tokenizer into the folder.",
            folder=folder,
            tokenizer_files=", ".join(TOKENIZER_FILES),
        )
    if is_character_vocabulary(folder):  # transformers takes it for BERT's
        return character_tokenizer(folder / VOCABULARY)
    from tokenizers import Tokenizer
    from transformers import AutoTokenizer

    loaded = AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)
    backend = getattr(loaded, "backend_tokenizer", None)
    if not isinstance(backend, Tokenizer):
        raise ModelError(
            "The tokenizer in {folder} ({name}) has no fast form. "
            "Use a model that comes with tokenizer.json.",
            folder=folder,
            name=type(loaded).__name__,
        )
    return backend


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
