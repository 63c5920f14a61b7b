"""Run under torchrun by test_loop: train the small problem with two processes, stop one, stop early."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from tests.training.problems import loop_config, make_network, make_problem
from tl_core.training.devices import end_process, make_accelerator
from tl_core.training.events import Stopped, drain
from tl_core.training.loop import LoopControl, Problem, fit


def main(folder: Path) -> None:
    accelerator = make_accelerator("float32")
    rank = accelerator.process_index
    (folder / f"world-{rank}.txt").write_text(str(accelerator.num_processes), encoding="utf-8")
    network = make_network()
    control = LoopControl(folder / f"checkpoint-by-{rank}", 1e9)
    drain(fit(network, network[-1], make_problem(), loop_config(), accelerator, control))
    flat = np.concatenate([each.detach().numpy().ravel() for each in network.parameters()])
    np.save(folder / f"weights-{rank}.npy", flat)

    asked = iter([False, False, True] if rank == 0 else [False] * 99)  # only the first process is asked
    other = make_network()
    try:
        drain(
            fit(
                other,
                other[-1],
                make_problem(),
                loop_config(),
                accelerator,
                LoopControl(None, 1e9, lambda: next(asked)),
            )
        )
    except Stopped:
        (folder / f"stopped-{rank}.txt").touch()

    values = iter([3.0, 1.0, 2.0, 2.0])

    def validate(model: object, part: int, parts: int) -> np.ndarray:
        return np.array([next(values), 1.0, 1.0])

    third, problem = make_network(), make_problem()
    early = Problem(problem.lengths, problem.losses, validate)
    result = drain(
        fit(third, third[-1], early, loop_config(epochs=20, patience=2), accelerator, LoopControl())
    )
    (folder / f"early-{rank}.txt").write_text(str(result.best_epoch), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    end_process(0)
