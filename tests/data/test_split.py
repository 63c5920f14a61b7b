from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tl_core.data.examples import Examples, text_key
from tl_core.data.split import sample_per_class, split
from tl_core.errors import ConfigError, DataError


def random_examples(seed: int) -> Examples:
    """Some hundred rows of 2 to 5 classes, uneven, with duplicates, other spellings and conflicts."""
    random = np.random.default_rng(seed)
    classes = [f"class {number}" for number in range(random.integers(2, 6))]
    labels = [*classes, *classes, *random.choice(classes, size=random.integers(50, 300))]
    texts = [f"Text {number}" for number in range(len(labels))]
    for _ in range(len(labels) // 5):
        source, target = random.integers(2 * len(classes), len(labels), size=2)
        texts[target] = texts[source].upper() + " "
    return Examples(tuple(texts), tuple(map(str, labels)), tuple(range(2, len(labels) + 2)))


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.9])
def test_parts_are_whole_disjoint_without_leak_and_hold_every_class(seed: int, share: float) -> None:
    examples = random_examples(seed)
    rest, held = split(examples, share=share, seed=seed)
    assert sorted(rest.rows + held.rows) == list(examples.rows)
    assert not set(map(text_key, rest.texts)) & set(map(text_key, held.texts))
    assert rest.classes == held.classes == examples.classes
    assert list(rest.rows) == sorted(rest.rows)
    assert list(held.rows) == sorted(held.rows)


@pytest.mark.parametrize("seed", range(10))
def test_each_class_gives_about_its_share(seed: int) -> None:
    labels = ["a"] * 300 + ["b"] * 50 + ["c"] * 10
    examples = Examples(tuple(f"text {n}" for n in range(360)), tuple(labels), tuple(range(360)))
    _, held = split(examples, share=0.2, seed=seed)
    assert held.counts == {"a": 60, "b": 10, "c": 2}


@pytest.mark.parametrize("seed", range(10))
def test_duplicates_do_not_distort_the_share(seed: int) -> None:
    labels = ["a"] * 100 + ["b"] * 100
    texts = [f"{label} {n // 5}" for n, label in enumerate(labels)]
    _, held = split(Examples(tuple(texts), tuple(labels), tuple(range(200))), share=0.2, seed=seed)
    assert held.counts == {"a": 20, "b": 20}


def test_the_same_seed_gives_the_same_parts_and_another_one_others() -> None:
    examples = random_examples(1)
    assert split(examples, share=0.3, seed=7) == split(examples, share=0.3, seed=7)
    assert split(examples, share=0.3, seed=7) != split(examples, share=0.3, seed=8)


def test_a_contradicted_text_goes_by_its_first_label() -> None:
    texts = ("one", "two", "ONE", "three", "four")
    examples = Examples(texts, ("a", "a", "b", "b", "b"), (1, 2, 3, 4, 5))
    for seed in range(10):
        rest, held = split(examples, share=0.5, seed=seed)
        assert {1, 3} <= set(rest.rows) or {1, 3} <= set(held.rows)
        assert rest.classes == held.classes == ("a", "b")


@pytest.mark.parametrize(("last", "labels"), [("four", "aaab"), ("Three ", "aabb")])
def test_a_class_with_fewer_than_two_texts_is_named(last: str, labels: str) -> None:
    examples = Examples(("one", "two", "three", last), tuple(labels), (1, 2, 3, 4))
    with pytest.raises(DataError, match="Class 'b' has only one text"):
        split(examples, share=0.5, seed=0)


def test_a_class_whose_texts_all_count_for_another_is_named() -> None:
    examples = Examples(("one", "two", "one", "two"), ("a", "a", "b", "b"), (1, 2, 3, 4))
    with pytest.raises(DataError, match="Class 'b' has no text of its own"):
        split(examples, share=0.5, seed=0)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 2.0, float("nan")])
def test_a_share_outside_its_range_is_refused(share: float) -> None:
    with pytest.raises(ConfigError, match="between 0 and 1"):
        split(random_examples(0), share=share, seed=0)


@pytest.mark.parametrize("seed", range(20))
def test_samples_hold_each_class_and_are_nested(seed: int) -> None:
    examples = random_examples(seed)
    smaller: set[int] = set()
    for per_class in (1, 2, 8, 16, 1000):
        sample = sample_per_class(examples, per_class, seed)
        assert sample.counts == {label: min(count, per_class) for label, count in examples.counts.items()}
        assert smaller <= set(sample.rows)
        assert list(sample.rows) == sorted(sample.rows)
        smaller = set(sample.rows)
    assert sample == examples


def test_samples_depend_on_the_seed_alone() -> None:
    examples = random_examples(3)
    assert sample_per_class(examples, 4, 1) == sample_per_class(examples, 4, 1)
    drawn = Counter(sample_per_class(examples, 4, seed) for seed in range(5))
    assert len(drawn) > 1


def test_a_sample_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        sample_per_class(random_examples(0), 0, 0)


def test_near_equal_texts_never_stand_on_both_sides():
    """A text again with a tag, another normal form or zero-width marks is the same text."""
    plain = [f"the number {at} caf\u00e9" for at in range(60)]
    again = [f"<p>the number {at}\u200b cafe\u0301!</p>" for at in range(60)]
    labels = tuple(("a", "b")[at % 2] for at in range(60)) * 2
    rest, held = split(Examples((*plain, *again), labels, tuple(range(120))), share=0.3, seed=1)
    assert not {text_key(text) for text in rest.texts} & {text_key(text) for text in held.texts}
    assert len(held) % 2 == 0


def grouped_examples(seed: int) -> Examples:
    """Rows of 2 to 4 classes by customers with 1 to 12 rows each, some without one, and texts that customers share."""
    random = np.random.default_rng([seed, 5])
    classes = [f"class {number}" for number in range(random.integers(2, 5))]
    groups = [
        f"customer {customer}" for customer in range(60) for _ in range(int(random.integers(1, 13)))
    ] + [""] * 30
    texts = [f"Text {number}" for number in range(len(groups))]
    for _ in range(10):
        source, target = random.integers(len(texts), size=2)
        texts[target] = texts[source].upper()
    labels = map(str, random.choice(classes, size=len(groups)))
    return Examples(tuple(texts), tuple(labels), tuple(range(len(groups))), tuple(groups))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("share", [0.15, 0.2, 0.5, 0.8])
def test_a_group_never_straddles_a_split_and_neither_does_a_text(seed: int, share: float) -> None:
    examples = grouped_examples(seed)
    rest, held = split(examples, share=share, seed=seed)
    assert sorted(rest.rows + held.rows) == list(examples.rows)
    assert not set(filter(None, rest.groups)) & set(filter(None, held.groups))
    assert not set(map(text_key, rest.texts)) & set(map(text_key, held.texts))
    assert rest.classes == held.classes == examples.classes
    assert list(held.rows) == sorted(held.rows)
    assert abs(len(held) / len(examples) - share) < 0.08
    assert split(examples, share=share, seed=seed) == (rest, held)


def test_a_class_of_one_group_cannot_be_split_and_is_named() -> None:
    labels = ["a", "b"] * 10
    groups = [f"customer {at}" if label == "a" else "one" for at, label in enumerate(labels)]
    examples = Examples(tuple(f"text {n}" for n in range(20)), tuple(labels), tuple(range(20)), tuple(groups))
    with pytest.raises(DataError, match="class 'b' belong to one group"):
        split(examples, share=0.2, seed=0)


def test_groups_of_nothing_are_no_groups() -> None:
    examples = random_examples(3)
    without = Examples(examples.texts, examples.labels, examples.rows, ("",) * len(examples))
    assert split(without, share=0.2, seed=1)[1].rows == split(examples, share=0.2, seed=1)[1].rows
