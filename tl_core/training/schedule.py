"""The learning rate over a training: linear warm-up, then linear decay to zero; and what its settings mean."""

EPOCHS_HELP = (
    "Passes over the training rows. 0 chooses from their number: few rows need more passes for as many steps."
)
AVERAGING_HELP = "Decay of a running mean of the weights over the steps, which is judged and kept; 0 keeps the last step's."


def rate_factor(step: int, total: int, warmup: int) -> float:
    """Share of the largest learning rate at optimizer step `step` (from 0) of `total`: 0 to 1.

    Linear warm-up over `warmup` steps, then linear decay (Devlin et al. 2019, appendix A.2).
    """
    if step < warmup:
        return (step + 1) / warmup
    return max(0.0, (total - step) / max(1, total - warmup))


def epochs_for_steps(rows: int, batch_size: int, steps: int, within: tuple[int, int]) -> int:
    """Number of epochs that give about this many steps: few rows need more passes; between the two ends of `within`."""
    steps_an_epoch = max(1, -(-rows // batch_size))
    low, high = within
    return int(min(high, max(low, -(-steps // steps_an_epoch))))
