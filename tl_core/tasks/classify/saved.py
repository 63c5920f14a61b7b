"""Load any saved classifier, whatever strategy made it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tl_core.errors import ModelError
from tl_core.settings import Settings
from tl_core.tasks.classify.fitting import Classifier, Probabilities
from tl_core.training.events import drain


def load_classifier(folder: Path, settings: Settings, *, device: str = "") -> Classifier:
    """The classifier saved in `folder`, on `device` ('' for the best one); ModelError if it is not whole."""
    if not folder.is_dir():
        raise ModelError(f"{folder} does not exist: the run has no model, or it was deleted.")
    from tl_core.tasks.classify.counts import saved as counts
    from tl_core.tasks.classify.counts.tfidf import MODEL, load_tfidf
    from tl_core.tasks.classify.words import saved as words

    if (folder / MODEL).exists():
        return load_tfidf(folder)
    if (folder / counts.FACTS).exists():
        return counts.load_bag_of_words(folder)
    import torch

    from tl_core.training.devices import best_device

    if (folder / words.FACTS).exists():
        place = torch.device(device) if device else best_device("words")
        return words.load_word_classifier(folder, settings, place)
    from tl_core.tasks.classify.encoder.classifier import load_encoder_classifier

    place = torch.device(device) if device else best_device()
    return load_encoder_classifier(folder, settings, place)


def predict(classifier: Classifier, texts: Sequence[str]) -> Probabilities:
    """Class probabilities of `texts`, (N, C), rows sum to one."""
    return drain(classifier.predict_events(texts))
