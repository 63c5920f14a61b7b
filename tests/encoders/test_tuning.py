from __future__ import annotations

import pytest

from tl_core.encoders.tuning import LoraConfig, epochs_for, lora_rate
from tl_core.tasks.read.config import ReadConfig


@pytest.mark.parametrize(("layers", "rate"), [(2, 1e-3), (6, 1e-3), (8, 1e-3), (12, 3e-4), (24, 3e-4)])
def test_a_deeper_encoder_takes_smaller_steps(layers: int, rate: float) -> None:
    assert lora_rate(LoraConfig(), layers) == rate
    assert lora_rate(LoraConfig(learning_rate=7e-4), layers) == 7e-4


def test_a_reader_that_is_tuned_in_full_takes_smaller_steps() -> None:
    assert ReadConfig().encoder_rate == 1e-3
    assert ReadConfig(method="full").encoder_rate == 1e-4
    assert ReadConfig(method="full", learning_rate=2e-5).encoder_rate == 2e-5


def test_few_rows_take_more_epochs() -> None:
    assert [epochs_for(LoraConfig(), rows) for rows in (10, 500, 100_000)] == [20, 5, 3]
    assert epochs_for(LoraConfig(epochs=7), 10) == 7
