"""Attribution methods in words: their names, and a caption for the scores of each. For every page that shows them."""

from __future__ import annotations

from pages.components.guard import plain
from tl_core.encoders.attribution.scores import Attribution, Method

METHODS: dict[Method, str] = {
    "gradxinput": "Gradient × input",
    "ig": "Integrated gradients",
    "occlusion": "Leave one out",
}
STEPS = (20, 50, 100, 300)


def caption(attribution: Attribution) -> str:
    """The meaning of the scores, and the size of the largest, as escaped Markdown."""
    return with_strongest(_explanation(attribution), attribution.scale)


def with_strongest(explanation: str, largest: float) -> str:
    return plain(f"{explanation} Strongest word: {largest:.3f}.")


def _explanation(attribution: Attribution) -> str:
    if attribution.method == "ig":
        error = attribution.completeness_error or 0.0
        share = (
            ""
            if attribution.relative_error is None
            else f", {attribution.relative_error:.1%} of what is to be explained"
        )
        whole = attribution.output - (attribution.baseline or 0.0)
        return (
            f"The scores should sum to the difference from a text of fillers, {whole:+.2f} logits; they miss it by "
            f"{error:.3f}{share}. More steps make it smaller."
        )
    if attribution.method == "occlusion":
        return "How far the output falls when a filler stands for the word. Words that repeat one another hide each other."
    return "The slope times the word's vector: what a straight line through this text says. Cheap, and noisy."
