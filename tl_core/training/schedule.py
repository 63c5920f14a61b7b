"""The learning rate over a training: linear warm-up, then linear decay to zero."""


def rate_factor(step: int, total: int, warmup: int) -> float:
    """Share of the largest learning rate at optimizer step `step` (from 0) of `total`: 0 to 1.

    Linear warm-up over `warmup` steps, then linear decay (Devlin et al. 2019, appendix A.2).
    """
    if step < warmup:
        return (step + 1) / warmup
    return max(0.0, (total - step) / max(1, total - warmup))
