"""One word in several sentences, as an encoder sees it there: a vector for every occurrence and layer.

A static table has one vector for a word; an encoder makes one from the whole sentence, so that senses
part from layer to layer (Ethayarajh 2019, arXiv 1909.00512; Coenen et al. 2019, arXiv 1906.02715).
Letters: N occurrences, L layers, D width; layer 0 is what goes into the first layer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tl_core.encoders.batches import pad
from tl_core.encoders.load import Encoder
from tl_core.errors import ConfigError, DataError, ModelError
from tl_core.text.tokens import Encoded, encodings
from tl_core.text.windows import METASPACE

if TYPE_CHECKING:
    from tokenizers import Encoding

Numbers = NDArray[np.float32]
HANGUL_RANGE = "\uac00-\ud7a3"  # particles and endings follow a word without a space
WORD = re.compile(r"\w")
HANGUL = re.compile(f"[{HANGUL_RANGE}]")
UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")  # Thai, Lao, kana, Han: no spaces at all
LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True, eq=False)
class InContext:
    """N occurrences of a word, in the order of the sentences.

    `vectors` is (N, L + 1, D). For each occurrence: `sentence_of` is the number of its sentence from 0,
    `spans` its (start, end) in characters, `pieces` the tokens whose vectors were averaged.
    """

    word: str
    sentences: tuple[str, ...]
    sentence_of: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    pieces: tuple[tuple[str, ...], ...]
    vectors: Numbers

    @property
    def layers(self) -> int:
        """L: layers are counted from 0, the embeddings, to L."""
        return int(self.vectors.shape[1]) - 1

    def cosines(self, layer: int) -> Numbers:
        """The cosine of every occurrence with every other: (N, N), ones on the diagonal; ConfigError for a layer
        that is not there.

        They compare within a layer only: in some models all vectors of a layer lie close together.
        """
        if not 0 <= layer <= self.layers:
            raise ConfigError(
                "layer must be between 0 (the embeddings) and {layers}; got {layer}.",
                layers=self.layers,
                layer=layer,
            )
        vectors = self.vectors[:, layer].astype(np.float64)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit = vectors / np.where(lengths > 0, lengths, 1)
        cosines: Numbers = (unit @ unit.T).clip(-1, 1).astype(np.float32)
        return cosines


def word_in_context(encoder: Encoder, sentences: Sequence[str], word: str) -> InContext:
    """The vectors of every occurrence of a word in the sentences, at every layer.

    An occurrence is the word as a whole whatever its case, so `play` is not found in `plays`. In Korean it
    need only begin an eojeol, since particles are glued to it: 배 is found in 배를, but in 배우 too, and AI in
    AI를. Where words are not parted by spaces (Chinese, Japanese, Thai) it may stand anywhere.
    Its vector is the mean of its tokens; one that reaches beyond the word counts whole. Each sentence is
    read alone. In GPT-2, which reads forwards, a word knows only what stands before it.

    DataError, with the number of the sentence, if it lacks the word or is longer than the encoder takes.
    """
    word = word.strip()
    if not word:
        raise DataError("There is no word to look for. Type one that stands in all of the sentences.")
    if not sentences:
        raise DataError("There is no sentence. Type at least one that holds '{word}'.", word=word)
    form = _pattern(word)
    sentence_of: list[int] = []
    spans: list[tuple[int, int]] = []
    pieces: list[tuple[str, ...]] = []
    vectors: list[Numbers] = []
    tokenised = encodings(encoder.tokenizer, sentences, special_tokens=True, with_offsets=True)
    for at, (sentence, encoding) in enumerate(zip(sentences, tokenised, strict=True)):
        _check_length(encoder, at, encoding)
        occurrences = list(_occurrences(form, sentence, encoding))
        if not occurrences:
            raise DataError(
                "Sentence {sentence} ({short}) does not hold the word '{word}'. Every sentence must, "
                "in this form; leave the sentence out or write the word into it.",
                sentence=at + 1,
                short=_short(sentence),
                word=word,
            )
        hidden = _hidden_states(encoder, encoding)  # (L + 1, T, D)
        for span, places in occurrences:
            sentence_of.append(at)
            spans.append(span)
            pieces.append(tuple(encoding.tokens[place] for place in places))
            vectors.append(hidden[:, places].mean(axis=1))
    return InContext(
        word, tuple(sentences), tuple(sentence_of), tuple(spans), tuple(pieces), np.stack(vectors)
    )


def _pattern(word: str) -> re.Pattern[str]:
    """The word where it may stand, by the scripts of its first and of its last letter."""
    first, last = word[0], word[-1]
    before = r"(?<!\w)" if WORD.match(first) and not UNSPACED.match(first) else ""
    alone = WORD.match(last) and not UNSPACED.match(last) and not HANGUL.match(last)
    behind = rf"(?![^\W{HANGUL_RANGE}])" if alone else ""
    return re.compile(before + re.escape(word) + behind, re.IGNORECASE)


def _occurrences(
    form: re.Pattern[str], sentence: str, encoding: Encoding
) -> Iterator[tuple[tuple[int, int], list[int]]]:
    """Places of the word and of its tokens; one that the tokenizer dropped is none.

    A lone metaspace is placed on the next letter by some tokenizers, but says nothing of it.
    """
    facts = list(zip(encoding.offsets, encoding.tokens, encoding.special_tokens_mask, strict=True))
    for match in form.finditer(sentence):
        start, end = match.span()
        places = [
            place
            for place, ((begin, stop), token, special) in enumerate(facts)
            if begin < end and stop > start and token != METASPACE and not special
        ]
        if places:
            yield (start, end), places


def _hidden_states(encoder: Encoder, encoding: Encoding) -> Numbers:
    """The states between the layers, the embeddings first: (L + 1, T, D); ModelError if they are not told."""
    import torch

    family = encoder.family
    inputs = pad([Encoded(encoding.ids, encoding.type_ids)], encoder.pad_id, type_ids=family.type_ids)
    device = next(encoder.model.parameters()).device
    moved = {name: tensor.to(device) for name, tensor in inputs.items()}
    with torch.inference_mode():
        states = encoder.model(**moved, output_hidden_states=True).hidden_states
    if not states or len(states) != encoder.layers + 1:
        raise ModelError(
            "{encoder} told {states} states instead of {layers}, so its layers "
            "cannot be shown. Choose another encoder.",
            encoder=encoder.name,
            states=len(states or ()),
            layers=encoder.layers + 1,
        )
    stacked: Numbers = torch.stack([state[0].float() for state in states]).cpu().numpy()
    return stacked


def _check_length(encoder: Encoder, at: int, encoding: Encoding) -> None:
    if len(encoding.ids) > encoder.max_tokens:
        raise DataError(
            "Sentence {sentence} has {ids:,} tokens; {encoder} takes at most {max_tokens:,}. Shorten the sentence.",
            sentence=at + 1,
            ids=len(encoding.ids),
            encoder=encoder.name,
            max_tokens=encoder.max_tokens,
        )


def _short(sentence: str) -> str:
    return sentence if len(sentence) <= LONGEST_SHOWN else sentence[:LONGEST_SHOWN] + "..."
