"""Load any saved classifier, whatever strategy made it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tl_core.errors import ModelError
from tl_core.settings import Settings
from tl_core.tasks.classify.fitting import Classifier, Probabilities
from tl_core.tasks.classify.strategies import FORMS
from tl_core.training.events import drain


def load_classifier(folder: Path, settings: Settings, *, device: str = "") -> Classifier:
    """The classifier saved in `folder`, on `device` ('' for the best one); ModelError if it is not whole."""
    if not folder.is_dir():
        raise ModelError("{folder} does not exist: the run has no model, or it was deleted.", folder=folder)
    for form in FORMS:
        if (folder / form.file).exists():
            return form.load(folder, settings, device)
    raise ModelError(
        "{folder} holds none of {forms}: it is no classifier.",
        folder=folder,
        forms=", ".join(form.file for form in FORMS),
    )


def predict(classifier: Classifier, texts: Sequence[str]) -> Probabilities:
    """Class probabilities of `texts`, (N, C), rows sum to one."""
    return drain(classifier.predict_events(texts))
