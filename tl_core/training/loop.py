"""One training loop for every torch model: batches by length, warm-up, early stopping, checkpoints.

It stands on accelerate (device, mixed precision, several processes or machines) and knows
nothing of tasks: a `Problem` says how many rows there are, how long they are, and what a batch
costs. The loss of a step is the mean over the rows of the global batch, however the rows are
spread over processes or micro-batches, so a ragged last batch changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import ModelError
from tl_core.training.batches import length_batches
from tl_core.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from tl_core.training.devices import free_memory, is_out_of_memory, random_state, restore_random_state
from tl_core.training.events import Metric, Note, Progress, Stopped, Training
from tl_core.training.memory import give_back
from tl_core.training.schedule import rate_factor

if TYPE_CHECKING:
    import torch
    from accelerate import Accelerator

Indices = NDArray[np.int64]
RateOf = Callable[[str, int], float]  # a parameter's name and an epoch from 0 -> its largest rate then
GIVE_BACK_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Problem:
    """The problem to learn, in the terms of the loop.

    `losses(model, rows)` gives the loss of each of those training rows, (B,). `validate(model,
    part, parts)` gives the sums (loss, correct, rows) over its part of the validation rows;
    without validation rows it is None, and the last weights are kept. `renew(epoch)` draws the
    rows of an epoch (from 0) anew, as many as before, and gives their lengths.
    """

    lengths: Indices
    losses: Callable[[torch.nn.Module, Indices], torch.Tensor]
    validate: Callable[[torch.nn.Module, int, int], NDArray[np.float64]] | None = None
    renew: Callable[[int], Indices] | None = None


@dataclass(frozen=True, slots=True)
class LoopConfig:
    """Settings of the loop; the strategies' configs carry the same names.

    `averaging` above 0 keeps an exponential mean of the weights over the steps, of that decay (Polyak & Juditsky
    1992); it is what is validated and left in the model. In the first steps the decay is smaller.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    head_learning_rate: float
    weight_decay: float = 0.01
    warmup_share: float = 0.1
    patience: int = 2
    largest_gradient: float = 1.0
    averaging: float = 0.0
    seed: int = 0


def loop_config(config: object, epochs: int, seed: int) -> LoopConfig:
    """The loop's settings from a strategy's: whatever they have of the same name; one rate where they have but one."""
    names = {field.name for field in fields(LoopConfig)}
    values = {name: getattr(config, name) for name in names if hasattr(config, name)}
    values.setdefault("head_learning_rate", values["learning_rate"])
    return LoopConfig(**values | {"epochs": epochs, "seed": seed})


@dataclass(frozen=True, slots=True)
class LoopControl:
    """Given to a training by whoever drives it: where to keep checkpoints, when to stop."""

    checkpoints: Path | None = None
    checkpoint_seconds: float = 30.0
    stop_requested: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class Fit:
    """Result of a training; `seconds` counts training and validation, over all resumptions.

    `trained_parameters` are the numbers whose rate was above 0 in an epoch that was trained.
    """

    steps: int
    best_epoch: int
    seconds: float
    stopped_early: bool
    trained_parameters: int


@dataclass(slots=True)
class _Position:
    """Position of a training; all of it goes into the checkpoint."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    best_accuracy: float = -1.0
    best_loss: float = 1e30
    best_epoch: int = 0
    epochs_without_gain: int = 0
    seconds: float = 0.0

    def facts(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def fit(
    model: torch.nn.Module,
    head: torch.nn.Module,
    problem: Problem,
    config: LoopConfig,
    accelerator: Accelerator,
    control: LoopControl,
    rate_of: RateOf | None = None,
) -> Training[Fit]:
    """Train the parameters of `model` that require gradients; the best weights are left in it.

    `head` is the part of `model` that starts at random and takes `head_learning_rate`; `rate_of` gives
    every parameter a rate of its own instead, 0 for an epoch in which it stays as it is. Yields
    Progress in rows and the curves `training loss`, `validation loss`, `validation accuracy`.
    Raises Stopped when the control asks for it (after a checkpoint), ModelError when the device's
    memory does not suffice even for half a batch at a time.
    """
    rate_of = rate_of or _two_rates(model, head, config)
    return (yield from _Loop(model, problem, config, accelerator, control, rate_of).run())


class _Loop:
    """The state of one `fit`: model, optimizer, position, best weights."""

    def __init__(
        self,
        model: torch.nn.Module,
        problem: Problem,
        config: LoopConfig,
        accelerator: Accelerator,
        control: LoopControl,
        rate_of: RateOf,
    ) -> None:
        import torch

        self.problem, self.config, self.accelerator, self.control = problem, config, accelerator, control
        torch.manual_seed(config.seed * 1009 + accelerator.process_index)
        self.plain = model.to(accelerator.device)
        self.optimizer = torch.optim.AdamW(_groups(model, config, rate_of), fused=True)
        self.model, self.optimizer = accelerator.prepare(self.plain, self.optimizer)
        self.trained = {
            name: parameter for name, parameter in self.plain.named_parameters() if parameter.requires_grad
        }
        self.position = _Position()
        self.mean: dict[str, torch.Tensor] = {}
        if config.averaging:
            self.mean = {name: parameter.detach().clone() for name, parameter in self.trained.items()}
        self.best: dict[str, torch.Tensor] = {}
        self.pieces = 1
        rows = len(problem.lengths)
        self.total_steps = config.epochs * -(-rows // config.batch_size)
        self.warmup = round(config.warmup_share * self.total_steps)
        self.last_saved = self.last_given_back = time.perf_counter()
        self.began = time.perf_counter()

    def run(self) -> Training[Fit]:
        self._resume()
        at = self.position
        self.rows_earlier = self._rows_done()
        while at.epoch < self.config.epochs and at.epochs_without_gain < self.config.patience:
            yield from self._epoch()
            if self.problem.validate:
                yield from self._validate()
            self._save()
        if self.best or self.mean:
            self._put(self.best or self.mean)
        for parameter in self.trained.values():
            parameter.requires_grad_(True)
        self.accelerator.unwrap_model(self.model, keep_fp32_wrapper=False)
        stopped_early = at.epoch < self.config.epochs
        done = max(1, self.position.epoch)
        moving = [group for group in self.optimizer.param_groups if max(group["rates"][:done]) > 0]
        trained = sum(parameter.numel() for group in moving for parameter in group["params"])
        return Fit(at.step, at.best_epoch or at.epoch, self._seconds(), stopped_early, trained)

    def _epoch(self) -> Training[None]:
        at, config = self.position, self.config
        lengths = self.problem.renew(at.epoch) if self.problem.renew else self.problem.lengths
        batches = length_batches(lengths, config.batch_size, seed=config.seed, epoch=at.epoch)
        self._set_rates()
        self.model.train()
        for rows in batches[at.batch :]:
            self._stop_if_asked()
            loss = yield from self._step_within_memory(rows)
            at.batch += 1
            at.step += 1
            yield Metric("training loss", at.step, loss)
            total = config.epochs * len(self.problem.lengths)
            yield Progress(self._rows_done(), total, self.rows_earlier)
            if time.perf_counter() - self.last_saved > self.control.checkpoint_seconds:
                self._save()
            if time.perf_counter() - self.last_given_back > GIVE_BACK_SECONDS:
                give_back()
                self.last_given_back = time.perf_counter()
        at.epoch, at.batch = at.epoch + 1, 0

    def _set_rates(self) -> None:
        """The rates of this epoch; no gradient is computed for what stays as it is, unless processes share gradients."""
        for group in self.optimizer.param_groups:
            group["largest"] = group["rates"][self.position.epoch]
            if self.accelerator.num_processes == 1:
                for parameter in group["params"]:
                    parameter.requires_grad_(group["largest"] > 0)

    def _rows_done(self) -> int:
        rows = len(self.problem.lengths)
        return self.position.epoch * rows + min(rows, self.position.batch * self.config.batch_size)

    def _step_within_memory(self, rows: Indices) -> Training[float]:
        """One optimizer step; if the device runs out of memory, once more with half batches."""
        try:
            return self._step(rows)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if self.pieces > 1 or self.accelerator.num_processes > 1:
                raise _out_of_memory(self.config.batch_size) from error
        self.pieces = 2
        self._forget()
        yield Note("The device ran out of memory: each batch is now computed in two halves.")
        try:
            return self._step(rows)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise _out_of_memory(self.config.batch_size) from error

    def _forget(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        free_memory()

    def _step(self, rows: Indices) -> float:
        import torch

        factor = rate_factor(self.position.step, self.total_steps, self.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = group["largest"] * factor
        accelerator = self.accelerator
        mine = rows[accelerator.process_index :: accelerator.num_processes]
        total = torch.zeros((), device=accelerator.device)
        parts = np.array_split(mine, self.pieces) if len(mine) >= self.pieces else [mine]
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            with nullcontext() if last else accelerator.no_sync(self.model):
                total += self._backward(part, rows)
        self._drop_unwanted_gradients()
        accelerator.clip_grad_norm_(list(self.trained.values()), self.config.largest_gradient)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self._average()
        return float(accelerator.reduce(total, "sum")) / len(rows)

    def _drop_unwanted_gradients(self) -> None:
        """Drop the gradients of what stays as it is in this epoch: it adds nothing to the norm and gathers no moments."""
        for group in self.optimizer.param_groups:
            if group["largest"] == 0:
                for parameter in group["params"]:
                    parameter.grad = None

    def _average(self) -> None:
        """Move the mean weights a little towards those of this step."""
        import torch

        steps = self.position.step + 1
        decay = min(self.config.averaging, steps / (steps + 10))
        with torch.no_grad():
            for name, mean in self.mean.items():
                mean.lerp_(self.trained[name].detach(), 1 - decay)

    def _backward(self, part: Indices, rows: Indices) -> torch.Tensor:
        """Gradients of one process's share of a batch; an empty share takes part with weight 0."""
        weight = self.accelerator.num_processes / len(rows)  # DDP takes the mean over processes
        with self.accelerator.autocast():
            losses = self.problem.losses(self.model, part if len(part) else rows[:1])
        summed = losses.float().sum() * (1.0 if len(part) else 0.0)
        self.accelerator.backward(summed * weight)
        return summed.detach()

    def _validate(self) -> Training[None]:
        import torch

        assert self.problem.validate is not None
        at, accelerator = self.position, self.accelerator
        self.model.eval()
        stepped = (
            {name: parameter.detach().clone() for name, parameter in self.trained.items()}
            if self.mean
            else {}
        )
        self._put(self.mean or stepped)
        with torch.no_grad(), accelerator.autocast():
            sums = self.problem.validate(self.plain, accelerator.process_index, accelerator.num_processes)
        shared = accelerator.reduce(torch.tensor(sums, dtype=torch.float32).to(accelerator.device), "sum")
        loss_sum, correct, count = (float(number) for number in shared)
        loss, accuracy = loss_sum / count, correct / count
        if (accuracy, -loss) > (at.best_accuracy, -at.best_loss):
            at.best_accuracy, at.best_loss = accuracy, loss
            at.best_epoch, at.epochs_without_gain = at.epoch, 0
            self.best = {name: parameter.detach().clone() for name, parameter in self.trained.items()}
        else:
            at.epochs_without_gain += 1
        self._put(stepped)
        yield Metric("validation loss", at.step, loss)
        yield Metric("validation accuracy", at.step, accuracy)

    def _stop_if_asked(self) -> None:
        """Stop every process at the same step: the flag is summed over them."""
        import torch

        asked = self.control.stop_requested()
        if self.accelerator.num_processes > 1:
            flag = torch.tensor(float(asked), device=self.accelerator.device)
            asked = float(self.accelerator.reduce(flag, "sum")) > 0
        if asked:
            self._save()
            raise Stopped

    def _seconds(self) -> float:
        return self.position.seconds + time.perf_counter() - self.began

    def _put(self, weights: dict[str, torch.Tensor]) -> None:
        import torch

        with torch.no_grad():
            for name, weight in weights.items():
                self.trained[name].copy_(weight)

    def _save(self) -> None:
        self.last_saved = time.perf_counter()
        if self.control.checkpoints is None or not self.accelerator.is_main_process:
            return
        tensors: dict[str, torch.Tensor] = {
            f"weight.{name}": parameter for name, parameter in self.trained.items()
        }
        tensors |= {f"best.{name}": tensor for name, tensor in self.best.items()}
        tensors |= {f"mean.{name}": tensor for name, tensor in self.mean.items()}
        tensors |= {f"adam.{part}": tensor for part, tensor in self._moments()}
        tensors |= random_state(self.accelerator.device)
        facts = replace(self.position, seconds=self._seconds()).facts()
        save_checkpoint(self.control.checkpoints, self.position.step, tensors, facts)

    def _moments(self) -> Iterator[tuple[str, torch.Tensor]]:
        for name, parameter in self.trained.items():
            for part, value in self.optimizer.state.get(parameter, {}).items():
                yield f"{part}.{name}", value

    def _resume(self) -> None:
        saved = load_checkpoint(self.control.checkpoints) if self.control.checkpoints else None
        if saved is None:
            return
        self.position = _Position(**saved.facts)
        self._put(_under(saved, "weight."))
        device = self.accelerator.device
        self.best = {name: tensor.to(device) for name, tensor in _under(saved, "best.").items()}
        self.mean = {name: tensor.to(device) for name, tensor in _under(saved, "mean.").items()}
        moments = _under(saved, "adam.")
        for name, parameter in self.trained.items():
            for part in ("step", "exp_avg", "exp_avg_sq"):
                if f"{part}.{name}" in moments:
                    self.optimizer.state[parameter][part] = moments[f"{part}.{name}"].to(device)
        _restore_random_state(saved, self.accelerator.process_index)


def _two_rates(model: torch.nn.Module, head: torch.nn.Module, config: LoopConfig) -> RateOf:
    """The head's own rate for its parameters, `learning_rate` for all others."""
    in_head = {id(parameter) for parameter in head.parameters()}
    names = {name for name, parameter in model.named_parameters() if id(parameter) in in_head}
    return lambda name, _: config.head_learning_rate if name in names else config.learning_rate


def _groups(model: torch.nn.Module, config: LoopConfig, rate_of: RateOf) -> list[dict[str, Any]]:
    """AdamW's parameter groups: parameters of the same rates; matrices decayed, biases and norms not."""
    groups: dict[tuple[tuple[float, ...], float], list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            rates = tuple(rate_of(name, epoch) for epoch in range(config.epochs))
            decay = config.weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((rates, decay), []).append(parameter)
    return [
        {"params": parameters, "lr": rates[0], "largest": rates[0], "rates": rates, "weight_decay": decay}
        for (rates, decay), parameters in groups.items()
    ]


def _under(saved: Checkpoint, prefix: str) -> dict[str, torch.Tensor]:
    return {name[len(prefix) :]: tensor for name, tensor in saved.tensors.items() if name.startswith(prefix)}


def _restore_random_state(saved: Checkpoint, process_index: int) -> None:
    """Only the first process's state was written; the others begin a new row of numbers."""
    import torch

    if process_index:
        torch.manual_seed(process_index + int(saved.facts["step"]))
        return
    restore_random_state(saved.tensors)


def _out_of_memory(batch_size: int) -> ModelError:
    return ModelError(
        "The device's memory does not suffice for a batch of {batch_size} rows, even in two halves. "
        "Choose a smaller batch size, fewer tokens a text, or LoRA instead of full fine-tuning.",
        batch_size=batch_size,
    )
