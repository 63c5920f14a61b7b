"""Feature extraction: the encoder as it is, its features computed once, a linear head on them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tl_core.encoders.adapted import StartingPoint, copy_state, load_merged
from tl_core.encoders.families import family_of
from tl_core.encoders.features import FeatureCache, Features, feature_events, kept_features
from tl_core.encoders.layers import cut_above
from tl_core.encoders.load import Encoder
from tl_core.settings import Settings
from tl_core.tasks.classify.config import FrozenConfig
from tl_core.tasks.classify.effort import Effort, Rates, Workload
from tl_core.tasks.classify.encoder.classifier import EncoderClassifier, Use, make_encoder_network
from tl_core.tasks.classify.encoder.effort import work_tokens
from tl_core.tasks.classify.fitting import FitInput, FittedClassifier, Probabilities, Targets
from tl_core.tasks.fitting import Fitted
from tl_core.training.devices import best_device
from tl_core.training.events import Training
from tl_core.training.precision import as_float64, resolve_precision

if TYPE_CHECKING:
    import torch

STRENGTHS = (1.0, 3.0, 10.0, 30.0)
ROWS_TO_CHOOSE = 100  # below so many rows of a class nothing is chosen by cross-validation
FOLDS = 5


def _seconds(config: FrozenConfig, work: Workload, rates: Rates) -> float:
    tokens = work_tokens(work, config.max_tokens)
    computed = rates.predict * (tokens.train_pass + tokens.validation_pass)  # once, by the first training
    return work.trainings * tokens.scoring_seconds(rates) + computed


FROZEN_EFFORT = Effort(
    in_loop=False,
    cost=lambda config, rows, seed, test_rows: float((rows if seed == 0 else 0) + test_rows + 1),
    seconds=_seconds,
)


def fit_frozen(given: FitInput[FrozenConfig]) -> Training[FittedClassifier]:
    """Logistic regression on frozen features; validation rows are used for training too."""
    began = time.perf_counter()
    settings, config = given.context.settings, given.config
    start = given.context.starting_point
    encoder = cut_above(load_merged(start, settings), config.layer, config.pooling)
    texts = given.train.texts + given.validation.texts
    targets = np.concatenate([given.train.targets, given.validation.targets])
    features = yield from cached_features(encoder, start, texts, config, settings)
    weight, bias = fit_head(features, targets, len(given.classes), config.strength, given.sklearn_weights)
    network = network_with_head(encoder, weight, bias, of_unit_length=True)
    classifier = EncoderClassifier(
        encoder,
        network.to(best_device()),
        given.classes,
        start,
        Use(config.max_tokens, config.precision, config.layer, unit_length=True),
        lambda folder: copy_state(start, folder),
    )
    facts = {"device": best_device().type}
    return Fitted(classifier, time.perf_counter() - began, weight.size + bias.size, facts)


def network_with_head(
    encoder: Encoder, weight: NDArray[np.float32], bias: NDArray[np.float32], *, of_unit_length: bool = False
) -> torch.nn.Module:
    """The network of a classifier with a head that was learned on its features: (C, D) and (C,)."""
    import torch

    network = make_encoder_network(encoder, len(bias), dropout=0.0, of_unit_length=of_unit_length)
    with torch.no_grad():
        network.head.weight.copy_(torch.from_numpy(weight))  # type: ignore[union-attr, operator]
        network.head.bias.copy_(torch.from_numpy(bias))  # type: ignore[union-attr, operator]
    return network


def cached_features(
    encoder: Encoder,
    start: StartingPoint,
    texts: tuple[str, ...],
    config: FrozenConfig,
    settings: Settings,
) -> Training[Features]:
    """Features of `texts`, (N, D), from the cache where they were computed before.

    `encoder` is cut above the layer that `config` names, and pools as it says.
    """
    device = best_device()
    precision = resolve_precision(config.precision, device.type)
    max_tokens = min(config.max_tokens, encoder.max_tokens)
    key = f"{start.fingerprint()} {max_tokens} {precision} {device.type}{_choices(encoder, config)}"
    cache = FeatureCache(settings.cache / "features", key)

    def compute(missing: list[str]) -> Training[Features]:
        return (
            yield from feature_events(
                encoder,
                missing,
                max_tokens=max_tokens,
                batch_size=config.batch_size,
                device=device,
                precision=precision,
            )
        )

    return (yield from kept_features(cache, texts, compute))


def cached_predictions(
    classifier: EncoderClassifier, texts: tuple[str, ...], config: FrozenConfig, settings: Settings
) -> Training[Probabilities]:
    """Probabilities of a frozen classifier, (N, C), from the cache: trainings that share an encoder compute a text once."""
    from sklearn.preprocessing import normalize

    features = yield from cached_features(classifier.encoder, classifier.start, texts, config, settings)
    head: Any = classifier.network.head
    weight, bias = (as_float64(parameter) for parameter in (head.weight, head.bias))
    vectors = features.astype(np.float64)
    if classifier.use.unit_length:
        vectors = normalize(vectors)
    logits = vectors @ weight.T + bias
    logits -= logits.max(axis=1, keepdims=True)
    chances: Probabilities = np.exp(logits)
    chances /= chances.sum(axis=1, keepdims=True)
    return chances


def _choices(encoder: Encoder, config: FrozenConfig) -> str:
    """The part of the cache's key for layer and pooling: nothing for the last layer and the family's pooling."""
    pooling = encoder.family.pooling
    own = family_of(encoder.family.model_type).pooling
    return (f" layer {config.layer}" if config.layer else "") + ("" if pooling == own else f" {pooling}")


def fit_head(
    features: Features, targets: Targets, classes: int, strength: float, weights: str | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A linear head (C, D) and bias (C,) on features divided by their own length: logistic regression.

    The mean is taken off and the rest divided by its mean length, so that one penalty suits encoders whose vectors
    point nearly the same way and others. `strength` 0 is half the number of classes, with many rows the best by
    cross-validation. `weights` are scikit-learn's of classes. Classes without a training row get a bias so low that they
    are never predicted.
    """
    from sklearn.preprocessing import normalize

    features = normalize(features)
    mean = features.mean(0)
    length = float(np.linalg.norm(features - mean, axis=1).mean()) + 1e-6
    return fit_scaled_head(features, targets, classes, strength, mean, np.full_like(mean, length), weights)


def fit_scaled_head(
    features: Features,
    targets: Targets,
    classes: int,
    strength: float,
    mean: Features,
    scale: Features,
    weights: str | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """As `fit_head`, on features less `mean` (D,) and divided by `scale` (D,)."""
    from sklearn.linear_model import LogisticRegression

    scaled = (features - mean) / scale
    strength = strength or choose_strength(scaled, targets, weights)
    model = LogisticRegression(C=strength, max_iter=2000, class_weight=weights).fit(scaled, targets)
    coefficients, intercept = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # sklearn keeps one row for two classes
        coefficients, intercept = (
            np.vstack([-coefficients, coefficients]) / 2,
            np.hstack([-intercept, intercept]) / 2,
        )
    weight = np.zeros((classes, features.shape[1]), dtype=np.float32)
    bias = np.full(classes, -1e4, dtype=np.float32)
    unfolded = coefficients / scale
    weight[model.classes_] = unfolded
    bias[model.classes_] = intercept - unfolded @ mean
    return weight, bias


def choose_strength(features: Features, targets: Targets, weights: str | None = None) -> float:
    """The inverse penalty with the smallest log loss in stratified 5-fold cross-validation.

    With a class of few rows the folds tell more of chance than of the penalty: half the number of classes is taken,
    since the many-class loss is shared by more boundaries (measured on six sets and two encoders, BENCHMARKS.md).
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    counts = np.unique(targets, return_counts=True)[1]
    if int(counts.min()) < ROWS_TO_CHOOSE:
        return len(counts) / 2
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    losses = [
        -cross_val_score(
            LogisticRegression(C=strength, max_iter=2000, class_weight=weights),
            features,
            targets,
            cv=splitter,
            scoring="neg_log_loss",
        ).mean()
        for strength in STRENGTHS
    ]
    return STRENGTHS[int(np.argmin(losses))]
