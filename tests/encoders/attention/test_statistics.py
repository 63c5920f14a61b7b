"""What heads do, in numbers and in a name."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import entropy as entropy_of_scipy

from tests.encoders.tiny import tiny_tokenizer
from tl_core.encoders.attention.maps import Maps
from tl_core.encoders.attention.statistics import HeadStatistics, HeadStatisticsSum, pattern
from tl_core.errors import DataError
from tl_core.text.inputs import ModelInput, ModelInputs

LONG = "the cat saw a dog and the boy saw a king"
MEASURES = ("entropy", "distance", "previous", "following", "same", "special", "largest")


def read(text: str, pair: str = "", family: str = "bert") -> ModelInput:
    return ModelInputs(tiny_tokenizer(family)[0], text, pair, max_tokens=200)[0]


def random_maps(shown: ModelInput, seed: int = 0, peak: float = 0.3) -> Maps:
    rows = np.random.default_rng(seed).dirichlet(np.full(len(shown), peak), size=(2, 3, len(shown)))
    return rows.astype(np.float32)


def of_one(rows: np.ndarray, shown: ModelInput) -> HeadStatistics:
    sums = HeadStatisticsSum()
    sums.add(rows[None, None].astype(np.float32), shown)
    return sums.result()


def looking(shown: ModelInput, step: int, share: float = 1.0) -> np.ndarray:
    """Every token gives a share to the one `step` further, the ends to themselves, the rest to all alike."""
    count = len(shown)
    there = np.clip(np.arange(count) + step, 0, count - 1)
    return share * np.eye(count)[there] + (1 - share) / count


def test_numbers_of_a_worked_example() -> None:
    shown = read("the cat")  # [CLS] the cat [SEP]
    rows = np.array([[0, 0, 0, 1], [0.5, 0, 0.5, 0], [0, 0, 1, 0], [1, 0, 0, 0]])
    made = of_one(rows, shown)
    assert made.rows == 2
    # 'the' gives half to [CLS] and half to 'cat': entropy ln 2 / ln 4; 'cat' looks at itself
    assert made.entropy == pytest.approx(np.array([[0.25]]))
    assert made.distance == pytest.approx(np.array([[0.5]]))
    assert made.previous == pytest.approx(np.array([[0.25]]))
    assert made.following == pytest.approx(np.array([[0.25]]))
    assert made.same == pytest.approx(np.array([[0.5]]))
    assert made.special == pytest.approx(np.array([[0.25]]))
    assert made.largest == pytest.approx(np.array([[0.75]]))


def plain_numbers(maps: Maps, shown: ModelInput) -> list[dict[str, np.ndarray]]:
    """Every measure of every token that is no special token, by loops."""
    tokens = range(len(shown))
    found = []
    for i in (each for each in tokens if shown.sides[each] >= 0):
        row = maps[:, :, i].astype(np.float64)
        nothing = np.zeros(row.shape[:2])
        found.append(
            {
                "entropy": entropy_of_scipy(row, axis=-1) / np.log(len(shown)),
                "distance": sum((row[..., j] * abs(i - j) for j in tokens), nothing),
                "previous": row[..., i - 1] if i > 0 else nothing,
                "following": row[..., i + 1] if i + 1 in tokens else nothing,
                "same": row[..., i],
                "special": sum((row[..., j] for j in tokens if shown.sides[j] < 0), nothing),
                "largest": row.max(-1),
            }
        )
    return found


def test_means_over_a_sample_are_those_of_plain_loops() -> None:
    sample = [read("the kings"), read(LONG, "a cat was hating."), read("boy", family="gpt2")]
    sample.append(read("a good day", family="xlnet"))
    sums, rows = HeadStatisticsSum(), []
    for seed, shown in enumerate(sample):
        maps = random_maps(shown, seed)
        sums.add(maps, shown)
        rows += plain_numbers(maps, shown)
    made = sums.result()
    assert made.rows == sums.rows == len(rows)
    for name in MEASURES:
        expected = np.mean([each[name] for each in rows], axis=0)
        assert getattr(made, name) == pytest.approx(expected, abs=1e-6), name
        assert getattr(made, name).dtype == np.float64
    assert np.shape(made.patterns) == (2, 3)


@pytest.mark.parametrize("text", ["boy", "the cat", LONG])
@pytest.mark.parametrize("family", ["bert", "xlnet"])
def test_a_uniform_head_is_named_uniform_however_short_the_text(text: str, family: str) -> None:
    shown = read(text, family=family)
    made = of_one(np.full((len(shown), len(shown)), 1 / len(shown)), shown)
    assert made.entropy == pytest.approx(np.array([[1]]), abs=1e-6)
    assert made.special == pytest.approx(np.array([[(shown.sides < 0).mean()]]), abs=1e-6)
    assert made.patterns == (("uniform",),)


@pytest.mark.parametrize(
    ("step", "share", "name"),
    [
        (-1, 1.0, "previous token"),
        (1, 1.0, "next token"),
        (0, 1.0, "same token"),
        (-1, 0.6, "previous token"),
        (-1, 0.3, "broad"),
        (-1, 0.0, "uniform"),
        (3, 0.9, ""),
    ],
)
def test_heads_that_look_a_step_away_are_named(step: int, share: float, name: str) -> None:
    shown = read(LONG)
    assert of_one(looking(shown, step, share), shown).patterns == ((name,),)


def test_heads_that_look_at_special_tokens_and_around_themselves_are_named() -> None:
    shown = read(LONG)
    special = np.zeros((len(shown), len(shown)))
    special[:, [0, -1]] = 0.5
    assert of_one(special, shown).patterns == (("special tokens",),)
    around = (looking(shown, -1) + looking(shown, 0) + looking(shown, 1)) / 3
    assert of_one(around, shown).patterns == (("local",),)


def test_a_share_that_chance_would_give_in_a_short_text_names_nothing() -> None:
    shown = read("cat")  # [CLS] cat [SEP]: two thirds of uniform attention go to special tokens
    nearly = of_one(np.tile([0.5, 0.4, 0.1], (3, 1)), shown)
    assert nearly.special == pytest.approx(np.array([[0.6]]), abs=1e-6)
    assert nearly.patterns == (("broad",),)


def test_the_more_specific_name_comes_first() -> None:
    means = dict.fromkeys(MEASURES, 0.0)
    chances = dict.fromkeys(("previous", "following", "same", "special"), 0.1)
    assert pattern(means | {"previous": 0.5, "special": 0.9, "same": 0.4}, chances) == "previous token"
    assert pattern(means | {"special": 0.5, "same": 0.4, "following": 0.3}, chances) == "special tokens"
    assert pattern(means | {"same": 0.3, "following": 0.3}, chances) == "local"
    assert pattern(means | {"same": 0.3, "following": 0.29}, chances) == ""
    assert pattern(means | {"entropy": 0.75}, chances) == "broad"
    assert pattern(means | {"entropy": 0.95, "same": 0.6}, chances) == "uniform"


def test_a_text_of_one_token_alone_has_no_entropy() -> None:
    shown = read("b", family="gpt2")
    assert len(shown) == 1
    made = of_one(np.ones((1, 1)), shown)
    assert (made.entropy.item(), made.same.item(), made.distance.item()) == (0, 1, 0)


def test_a_sum_of_nothing_and_of_two_encoders_is_refused() -> None:
    sums = HeadStatisticsSum()
    with pytest.raises(DataError, match="No text was read"):
        sums.result()
    shown = read("the cat")
    sums.add(random_maps(shown), shown)
    with pytest.raises(DataError, match="Keep to one encoder"):
        sums.add(random_maps(shown)[:1], shown)
    assert sums.rows == 2
    assert sums.result().entropy.shape == (2, 3)
