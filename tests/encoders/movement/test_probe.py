from __future__ import annotations

import numpy as np
import pytest

from tl_core.encoders.movement.probe import probe_events, probe_layers
from tl_core.errors import DataError
from tl_core.training.events import Progress


def made(rows: int = 60, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    """Three layers: noise, a class that shows a little, a class that shows plainly."""
    random = np.random.default_rng(seed)
    targets = np.arange(rows) % 2
    noise = random.normal(size=(3, rows, 5)).astype(np.float32)
    shown = np.array([0.0, 1.0, 8.0])[:, None] * targets
    noise[:, :, 2] += shown.astype(np.float32)
    return list(noise), targets


def test_the_layer_where_a_class_shows_is_read_best():
    states, targets = made(200)
    found = probe_layers(states, targets)
    assert found.accuracies.shape == found.errors.shape == (3,)
    assert found.accuracies[0] == pytest.approx(0.5, abs=0.12)
    assert found.accuracies[0] < found.accuracies[1] < found.accuracies[2] == 1
    assert (found.rows, found.folds, found.commonest) == (200, 5, 0.5)


def test_the_error_is_that_of_a_share_of_held_out_rows():
    found = probe_layers(*made())
    wanted = [np.sqrt(each * (1 - each) / 60) for each in found.accuracies]
    assert found.errors == pytest.approx(wanted)
    assert found.errors[2] == 0


def test_it_is_sklearns_own_cross_validation():
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    states, targets = made(60)
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    folds = StratifiedKFold(5, shuffle=True, random_state=3)
    wanted = [cross_val_score(probe, each, targets, cv=folds).mean() for each in states]
    assert probe_layers(states, targets, 3).accuracies == pytest.approx(wanted)


def test_scale_and_place_of_a_layers_axes_do_not_count():
    states, targets = made()
    moved = [each * np.float32(1e4) - np.float32(7) for each in states]
    assert np.array_equal(probe_layers(states, targets).accuracies, probe_layers(moved, targets).accuracies)


def test_the_same_seed_gives_the_same_numbers():
    states, targets = made()
    assert np.array_equal(
        probe_layers(states, targets, 1).accuracies, probe_layers(states, targets, 1).accuracies
    )


def test_given_rows_are_trained_and_tested_on():
    states, targets = made(40)
    wrong = targets.copy()
    wrong[30:] = 1 - wrong[30:]  # the test rows say the opposite
    found = probe_layers(states, wrong, split=(range(30), range(30, 40)))
    assert (found.rows, found.folds) == (10, 0)
    assert found.accuracies[2] == 0
    assert probe_layers(states, targets, split=(range(30), range(30, 40))).accuracies[2] == 1


def test_two_rows_a_class_are_enough():
    targets = np.array([0, 0, 1, 1])
    states = [np.array([[0.0], [0.1], [1.0], [1.1]])]
    found = probe_layers(states, targets)
    assert found.folds == 2
    assert found.accuracies[0] == 1


def test_a_state_that_never_changes_is_read_as_chance():
    targets = np.array([0] * 6 + [1] * 4)
    found = probe_layers([np.ones((10, 3))], targets)
    assert found.accuracies[0] == found.commonest == 0.6


def test_progress_ends_at_its_total():
    events = [each for each in probe_events(*made()) if isinstance(each, Progress)]
    assert [each.done for each in events] == list(range(1, 16))
    assert events[-1].total == 15


def test_what_cannot_be_probed_is_refused():
    states, targets = made(10)
    with pytest.raises(DataError, match="Class 1 has a single row"):
        probe_layers(states, np.array([0] * 9 + [1]))
    with pytest.raises(DataError, match="at least two classes; got 1"):
        probe_layers(states, np.zeros(10, dtype=np.int64))
    with pytest.raises(DataError, match="shape"):
        probe_layers(states, targets[:9])
    with pytest.raises(DataError, match="Layer 1 holds numbers that are not finite"):
        probe_layers([states[0], states[1] * np.nan], targets)
    with pytest.raises(DataError, match="both training and test"):
        probe_layers(states, targets, split=(range(6), range(5, 10)))
    with pytest.raises(DataError, match="between 0 and 9"):
        probe_layers(states, targets, split=(range(6), [10]))
    with pytest.raises(DataError, match="got 6 and 0"):
        probe_layers(states, targets, split=(range(6), []))
    with pytest.raises(DataError, match="one class only"):
        probe_layers(states, targets, split=([0, 2, 4], [1]))
