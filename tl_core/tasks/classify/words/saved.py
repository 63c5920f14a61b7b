"""A trained classifier on word vectors, its folder, and what of it another task can begin with.

A folder holds `words.json` (kind, settings, classes, how texts are cut), `vocabulary.json` (the words in the order of
their ids) and `model.safetensors` (the layers in float32, the word vectors in float16).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tl_core.encoders.adapted import read_tensors
from tl_core.errors import ModelError, TLError
from tl_core.knobs import from_values, to_values
from tl_core.settings import Settings
from tl_core.tasks.classify.fitting import Probabilities
from tl_core.tasks.classify.forms import LABELS, WORDS, ModelForm
from tl_core.tasks.classify.words.config import AnyWordConfig, config_class, kind_of
from tl_core.tasks.classify.words.documents import FIRST, UNKNOWN, Documents
from tl_core.tasks.classify.words.networks import make_batch, make_documents, make_table, make_word_network
from tl_core.tasks.classify.words.splitting import SPLITTERS, Splitter
from tl_core.tasks.classify.words.vocabulary import SourceWords
from tl_core.training.batches import token_batches
from tl_core.training.devices import device_named
from tl_core.training.events import Progress, Training
from tl_core.training.precision import class_shares

if TYPE_CHECKING:
    import torch

FACTS = "words.json"
VOCABULARY = "vocabulary.json"
WEIGHTS = "model.safetensors"
LEARNED = "learned"
TRAINED, KEPT = "table.trained", "table.kept"
PREDICT_WORDS = 16_384  # words computed at once in prediction, padding included
TEXTS_AT_ONCE = 4096


class WordClassifier:
    """A trained network on word vectors with the words it knows and how texts are cut into them.

    `words` are in the order of their ids, which begin at 2; `learned` (V,) tells whose vectors were trained.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        config: AnyWordConfig,
        classes: tuple[str, ...],
        splitter: Splitter,
        words: list[str],
        learned: NDArray[np.bool_],
    ) -> None:
        self.network, self.config, self.classes = network, config, classes
        self.splitter, self.words, self.learned = splitter, words, learned
        self.index = {word: at for at, word in enumerate(words, FIRST)}

    def documents(self, texts: Sequence[str]) -> Documents:
        """These texts as ids, on the network's device."""
        device = next(self.network.parameters()).device
        return make_documents(self.config, self.splitter, texts, self.index, device)

    def predict_events(self, texts: Sequence[str]) -> Training[Probabilities]:
        """Class probabilities, (N, C), rows sum to one. Yields Progress in texts."""
        import torch

        network = self.network.eval()
        probabilities = np.zeros((len(texts), len(self.classes)))
        done = 0
        for begin in range(0, len(texts), TEXTS_AT_ONCE):
            documents = self.documents(texts[begin : begin + TEXTS_AT_ONCE])
            for rows in token_batches(documents.lengths, PREDICT_WORDS):
                with torch.inference_mode():
                    logits = network(make_batch(self.config, documents, rows))
                probabilities[begin + rows] = class_shares(logits)
                done += len(rows)
                yield Progress(done, len(texts))
        return probabilities

    def save(self, folder: Path) -> None:
        import torch
        from safetensors.torch import save_file

        tensors = {
            name: tensor.detach().cpu().contiguous() for name, tensor in self.network.state_dict().items()
        }
        tensors |= {name: tensors[name].half() for name in (TRAINED, KEPT)}
        tensors[LEARNED] = torch.from_numpy(self.learned.astype(np.uint8))
        save_file(tensors, folder / WEIGHTS)
        facts = {
            "kind": kind_of(self.config),
            "config": to_values(self.config),
            "classes": self.classes,
            "splitter": self.splitter.name,
            "width": int(tensors[TRAINED].shape[1]),
            "trained": len(tensors[TRAINED]),
            "words": len(self.words),
        }
        (folder / FACTS).write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")
        (folder / VOCABULARY).write_text(json.dumps(self.words, ensure_ascii=False), encoding="utf-8")
        (folder / LABELS).write_text(json.dumps(self.classes, ensure_ascii=False), encoding="utf-8")


def load_word_classifier(folder: Path, settings: Settings, device: torch.device) -> WordClassifier:
    """A saved word classifier on `device`; ModelError if a part is missing, damaged or does not fit."""
    try:
        facts, words, tensors = _read(folder)
        config = from_values(config_class(facts["kind"]), facts["config"])
        learned = tensors.pop(LEARNED).numpy().astype(bool)
        vectors = np.concatenate([tensors[TRAINED].float().numpy(), tensors[KEPT].float().numpy()])
        _check(facts, words, vectors, learned)
        classes = tuple(facts["classes"])
        table = make_table(vectors, len(tensors[TRAINED]), config.word_dropout)
        network = make_word_network(table, config, len(classes))
        network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
        splitter = Splitter(facts["splitter"])
    except ModelError:
        raise
    except (TLError, OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise ModelError(
            "{folder} is not a whole word classifier: {error}", folder=folder, error=error
        ) from error
    return WordClassifier(network.eval().to(device), config, classes, splitter, words, learned)


def _load(folder: Path, settings: Settings, device: str) -> WordClassifier:
    return load_word_classifier(folder, settings, device_named(device, "words"))


WORDS_FORM = ModelForm(
    WORDS,
    FACTS,
    _load,
    "predict_words.py",
    (FACTS, VOCABULARY, WEIGHTS, LABELS),
    lambda folder: ("numpy", "torch", "safetensors", "kiwipiepy"),
)


def read_source(folder: Path) -> SourceWords:
    """The words of a saved classifier, without padding; ModelError if the folder is not whole.

    Learned are the words of its training rows, unless vectors were frozen, and those its own source had learned.
    """
    try:
        facts, words, tensors = _read(folder)
        vectors = np.concatenate([tensors[TRAINED].float().numpy(), tensors[KEPT].float().numpy()])
        learned = tensors[LEARNED].numpy().astype(bool)
        _check(facts, words, vectors, learned)
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise ModelError(
            "{folder} is not a whole word classifier: {error}", folder=folder, error=error
        ) from error
    return SourceWords(words, vectors[FIRST:], learned[FIRST:], vectors[UNKNOWN])


def read_facts(folder: Path) -> dict[str, Any]:
    """Facts in a word classifier's folder (kind, settings, classes, splitter); ModelError if nothing."""
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            "{folder} is not a word classifier's folder: {error}", folder=folder, error=error
        ) from error
    if not isinstance(facts, dict) or not {"kind", "config", "classes", "splitter", "width"} <= set(facts):
        raise ModelError(
            "{folder} must hold an object with kind, config, classes, splitter and width.",
            folder=folder / FACTS,
        )
    classes = facts["classes"]
    if not isinstance(classes, list) or not classes or not all(isinstance(label, str) for label in classes):
        raise ModelError("{folder}: classes must be a list of texts.", folder=folder / FACTS)
    if facts["splitter"] not in SPLITTERS:
        raise ModelError(
            "{folder}: splitter must be one of {splitters}.",
            folder=folder / FACTS,
            splitters=", ".join(SPLITTERS),
        )
    return facts


def read_layers(folder: Path) -> dict[str, torch.Tensor]:
    """The tensors of a saved word classifier without its words; ModelError if the file cannot be read."""
    return {name: tensor for name, tensor in _tensors(folder).items() if name not in (TRAINED, KEPT, LEARNED)}


def _read(folder: Path) -> tuple[dict[str, Any], list[str], dict[str, torch.Tensor]]:
    facts = read_facts(folder)
    try:
        words = json.loads((folder / VOCABULARY).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            "{folder} cannot be read: {error}", folder=folder / VOCABULARY, error=error
        ) from error
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ModelError("{folder} must hold a list of words.", folder=folder / VOCABULARY)
    return facts, words, _tensors(folder)


def _tensors(folder: Path) -> dict[str, torch.Tensor]:
    return read_tensors(folder / WEIGHTS)


def _check(
    facts: dict[str, Any], words: list[str], vectors: NDArray[np.float32], learned: NDArray[np.bool_]
) -> None:
    expected = (FIRST + len(words), facts["width"])
    if vectors.shape != expected or learned.shape != expected[:1] or len(set(words)) != len(words):
        raise ValueError(f"{len(words):,} words, but vectors of shape {vectors.shape}")
    if not np.isfinite(vectors).all():
        raise ValueError("its word vectors hold values that are no numbers")
