"""A bag-of-words classifier, and its folder: JSON and safetensors, nothing that could run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tl_core.errors import ModelError
from tl_core.tasks.classify.counts.config import WEIGHTS
from tl_core.tasks.classify.counts.n_grams import BagOfWords, make_view
from tl_core.tasks.classify.counts.network import as_bags, make_counts_network
from tl_core.tasks.classify.fitting import Probabilities
from tl_core.tasks.classify.forms import COUNTS, LABELS, ModelForm
from tl_core.training.events import Progress, Training
from tl_core.training.precision import class_shares

if TYPE_CHECKING:
    import torch

FACTS = "counts.json"
N_GRAMS = "n_grams.json"
LAYER = "counts.safetensors"
LONGEST_N_GRAM = 3
PREDICT_BATCH = 512
AGAIN = "Use the folder as it was saved, or train again."


class BagOfWordsClassifier:
    """A bag of words under a linear layer; it predicts on the CPU."""

    def __init__(self, bag: BagOfWords, network: torch.nn.Module, classes: tuple[str, ...]) -> None:
        self.bag, self.network, self.classes = bag, network, classes

    def predict_events(self, texts: Sequence[str]) -> Training[Probabilities]:
        """Class probabilities, (N, C); classes that training never saw have probability 0."""
        import torch

        network = self.network.eval()
        probabilities = np.zeros((len(texts), len(self.classes)))
        for start in range(0, len(texts), PREDICT_BATCH):
            part = texts[start : start + PREDICT_BATCH]
            with torch.inference_mode():
                logits = network(as_bags(self.bag.rows(part), torch.device("cpu")))
            probabilities[start : start + len(part)] = class_shares(logits)
            yield Progress(start + len(part), len(texts))
        if not texts:
            yield Progress(0, 0)
        return probabilities

    def save(self, folder: Path) -> None:
        save_bag_of_words(self, folder)


def save_bag_of_words(classifier: BagOfWordsClassifier, folder: Path) -> None:
    """Write a classifier so that `load_bag_of_words` gives equal predictions."""
    from safetensors.torch import save_file

    bag = classifier.bag
    facts = {"views": list(bag.views), "ngrams": bag.ngrams, "weights": bag.weights}
    _write(folder / N_GRAMS, bag.n_grams())
    _write(folder / LABELS, classifier.classes)
    named = classifier.network.named_parameters()
    save_file({name: parameter.detach().contiguous() for name, parameter in named}, folder / LAYER)
    _write(folder / FACTS, facts)


def load_bag_of_words(folder: Path) -> BagOfWordsClassifier:
    """A saved bag-of-words classifier; ModelError if a part is missing, broken or does not fit."""
    from tl_core.encoders.adapted import read_tensors

    facts, n_grams = _read(folder / FACTS), _read(folder / N_GRAMS)
    classes = _strings(folder / LABELS, _read(folder / LABELS))
    bag = _make_bag(folder, facts, n_grams)
    network = make_counts_network(bag.size, len(classes))
    _fill(network, read_tensors(folder / LAYER), folder)
    return BagOfWordsClassifier(bag, network, tuple(classes))


COUNTS_FORM = ModelForm(
    COUNTS,
    FACTS,
    lambda folder, settings, device: load_bag_of_words(folder),
    "predict_counts.py",
    (FACTS, N_GRAMS, LAYER, LABELS),
    lambda folder: ("numpy", "safetensors"),
)


def _make_bag(folder: Path, facts: Any, n_grams: Any) -> BagOfWords:
    if not isinstance(facts, dict) or not isinstance(n_grams, dict):
        raise ModelError(
            "{folder} and {n_grams} must each hold a JSON object. {again}",
            folder=folder / FACTS,
            n_grams=N_GRAMS,
            again=AGAIN,
        )
    names, ngrams, weights = (facts.get(key) for key in ("views", "ngrams", "weights"))
    if names not in (["words"], ["words", "characters"]):
        raise ModelError(
            "{folder}: views must be words, or words and characters; got {names!r}.",
            folder=folder / FACTS,
            names=names,
        )
    if type(ngrams) is not int or not 1 <= ngrams <= LONGEST_N_GRAM:
        raise ModelError(
            "{folder}: ngrams must be between 1 and {longest_n_gram}; got {ngrams!r}.",
            folder=folder / FACTS,
            longest_n_gram=LONGEST_N_GRAM,
            ngrams=ngrams,
        )
    if weights not in WEIGHTS:
        raise ModelError(
            "{folder}: weights must be one of {weights}; got {other_weights!r}.",
            folder=folder / FACTS,
            weights=", ".join(WEIGHTS),
            other_weights=weights,
        )
    if set(n_grams) != set(names):
        raise ModelError(
            "{folder} must hold {names}; it holds {n_grams}. {again}",
            folder=folder / N_GRAMS,
            names=" and ".join(names),
            n_grams=sorted(n_grams),
            again=AGAIN,
        )
    views = {}
    for name in names:
        entries = _strings(folder / N_GRAMS, n_grams[name])
        views[name] = make_view(name, ngrams, weights, vocabulary=entries).fit([])
    return BagOfWords(views, ngrams, weights)


def _fill(network: torch.nn.Module, tensors: dict[str, torch.Tensor], folder: Path) -> None:
    """Put a file's tensors into the layer; ModelError unless names, kind and shapes fit and all is finite."""
    import torch

    own = dict(network.named_parameters())
    shapes = {
        name: (tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
        for name, tensor in tensors.items()
    }
    wanted = {name: (tuple(parameter.shape), "float32") for name, parameter in own.items()}
    if shapes != wanted:
        raise ModelError(
            "{folder} holds {told}, but its n-grams and labels ask for {wanted}. {again}",
            folder=folder / LAYER,
            told=shapes,
            wanted=wanted,
            again=AGAIN,
        )
    if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
        raise ModelError(
            "{folder} holds numbers that are not finite. {again}", folder=folder / LAYER, again=AGAIN
        )
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(tensors[name])


def _strings(path: Path, content: Any) -> list[str]:
    if not isinstance(content, list) or not content or not all(isinstance(text, str) for text in content):
        raise ModelError(
            "{path} must hold a list of texts that is not empty. {again}", path=path, again=AGAIN
        )
    if len(set(content)) < len(content):
        raise ModelError("{path} names something twice. {again}", path=path, again=AGAIN)
    return content


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")  # in ASCII: a lone surrogate has no UTF-8


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            "{path} cannot be read ({name}). {again}", path=path, name=type(error).__name__, again=AGAIN
        ) from error
