"""Training speed beside a plain transformers.Trainer in float32, on 512 rows of AG News.

    python -m tests.benchmarks.speed_against_trainer --data DIR [--pairs 2]

LoRA against LoRA and full against full: the same rows, epochs, batch size, learning rates,
adapter and number of processor threads in the same process; only the way of training differs.
The Trainer pads to 128 tokens or to the longest text of its batch; ours is what the product
does by default. Both sides are scored on the same 1,000 test rows in the same way.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from tests.benchmarks.measure import data_folder, figure, machine, new_home, read, stratified
from tl_core.encoders.adapted import StartingPoint, load_merged, load_with_adapter
from tl_core.encoders.load import find_encoder
from tl_core.jobs.classify.plan import labelled
from tl_core.settings import Settings
from tl_core.tasks.classify.config import FullConfig, LoraConfig
from tl_core.tasks.classify.encoder.classifier import make_encoder_network
from tl_core.tasks.classify.fitting import FitInput, LabelledTexts
from tl_core.tasks.classify.saved import predict
from tl_core.tasks.classify.strategies import strategy
from tl_core.tasks.fitting import TrainingContext
from tl_core.training.events import drain

EPOCHS, BATCH, MAX_TOKENS = 3, 16, 128
RATES = {"lora": 1e-3, "full": 1e-4}


def ours(
    settings: Settings,
    name: str,
    train: LabelledTexts,
    test: LabelledTexts,
    classes: tuple[str, ...],
    seed: int,
) -> tuple[float, float]:
    """(training seconds, accuracy) of the product's own training."""
    config_class = {"lora": LoraConfig, "full": FullConfig}[name]
    config = config_class(epochs=EPOCHS, batch_size=BATCH, max_tokens=MAX_TOKENS, learning_rate=RATES[name])
    none = LabelledTexts((), np.array([], dtype=np.int64))
    start = StartingPoint(find_encoder("minilm", settings))
    given = FitInput(TrainingContext(settings, seed, start), classes, train, none, config)
    fitted = drain(strategy(name).fit(given))
    right = predict(fitted.model, test.texts).argmax(1) == test.targets
    return fitted.seconds, float(right.mean())


def trainers(
    settings: Settings,
    name: str,
    train: LabelledTexts,
    test: LabelledTexts,
    classes: tuple[str, ...],
    seed: int,
    padding: str,
) -> tuple[float, float]:
    """(training seconds, accuracy) of transformers.Trainer on the same network; texts are tokenised before."""
    import tempfile

    import torch
    from transformers import Trainer, TrainingArguments

    torch.manual_seed(seed)
    start = StartingPoint(find_encoder("minilm", settings))
    encoder = (
        load_with_adapter(start, settings, rank=16, alpha=32, dropout=0.05)
        if name == "lora"
        else load_merged(start, settings)
    )
    network = make_encoder_network(encoder, len(classes), 0.1)

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, labels: Any = None, **batch: Any) -> dict[str, Any]:
            logits = self.network(batch)
            loss = None if labels is None else torch.nn.functional.cross_entropy(logits, labels)
            return {"loss": loss, "logits": logits}

    encoder.tokenizer.enable_truncation(MAX_TOKENS)
    rows = [
        {"input_ids": each.ids, "token_type_ids": each.type_ids, "labels": int(target)}
        for each, target in zip(encoder.tokenizer.encode_batch(list(train.texts)), train.targets, strict=True)
    ]

    def collate(batch: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        longest = MAX_TOKENS if padding == "128" else max(len(each["input_ids"]) for each in batch)

        def padded(field: str) -> torch.Tensor:
            return torch.tensor([each[field] + [0] * (longest - len(each[field])) for each in batch])

        mask = torch.tensor(
            [[1] * len(each["input_ids"]) + [0] * (longest - len(each["input_ids"])) for each in batch]
        )
        labels = torch.tensor([each["labels"] for each in batch])
        return {
            "input_ids": padded("input_ids"),
            "token_type_ids": padded("token_type_ids"),
            "attention_mask": mask,
            "labels": labels,
        }

    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            num_train_epochs=EPOCHS,
            per_device_train_batch_size=BATCH,
            learning_rate=RATES[name],
            warmup_steps=0.1,
            weight_decay=0.01,
            save_strategy="no",
            report_to=[],
            remove_unused_columns=False,
            disable_tqdm=True,
            logging_strategy="no",
            seed=seed,
        )
        trainer = Trainer(model=Model(), args=arguments, train_dataset=rows, data_collator=collate)
        began = time.monotonic()
        trainer.train()
        seconds = time.monotonic() - began
    encoder.tokenizer.no_truncation()
    from tl_core.tasks.classify.encoder.classifier import EncoderClassifier, Use

    classifier = EncoderClassifier(
        encoder, network, classes, start, Use(MAX_TOKENS, "float32"), lambda _: None
    )
    right = predict(classifier, test.texts).argmax(1) == test.targets
    return seconds, float(right.mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=2, help="how often each side is trained, in turn")
    options = data_folder(parser)
    import torch

    settings = new_home()
    torch.set_num_threads(settings.threads)
    source = stratified(read(options.data / "ag_news" / "train_part.csv.gz", "text", "topic"), 512)
    held = stratified(read(options.data / "ag_news" / "test.csv.gz", "text", "topic"), 1000)
    classes = source.classes
    train, test = labelled(source, classes), labelled(held, classes)
    facts = {"rows": len(train), "epochs": EPOCHS, "batch": BATCH, "machine": machine()}
    for name in ("lora", "full"):
        sides: dict[str, list[tuple[float, float]]] = {
            "ours": [],
            "trainer, padded to 128": [],
            "trainer, padded to the longest": [],
        }
        for seed in range(options.pairs):
            sides["ours"].append(ours(settings, name, train, test, classes, seed))
            sides["trainer, padded to 128"].append(
                trainers(settings, name, train, test, classes, seed, "128")
            )
            sides["trainer, padded to the longest"].append(
                trainers(settings, name, train, test, classes, seed, "longest")
            )
        mine = np.array(sides["ours"])
        for side, found in sides.items():
            seconds, accuracy = np.array(found).T
            figure(
                f"{name}: {side}",
                float(np.median(seconds)),
                "s",
                accuracy=round(float(100 * accuracy.mean()), 2),
                accuracy_sd=round(float(100 * accuracy.std()), 2),
                times_faster=round(float(np.median(seconds / mine[:, 0])), 2),
                **facts,
            )


if __name__ == "__main__":
    main()
