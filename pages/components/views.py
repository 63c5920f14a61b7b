"""Views: parts of a page of which one is seen at a time, chosen by a row of buttons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pages.components.choice import one_of

Show = TypeVar("Show", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class View(Generic[Show]):
    """One row of a table of views.

    The id is what the page's address and the session keep, so it stays as it is; the title on the button may
    change. `show` draws the view; the table that the view stands in says what it takes and what it returns.
    """

    id: str
    title: str
    show: Show


def choose_view(label: str, views: Sequence[View[Show]], *, key: str, **more: Any) -> View[Show]:
    """The view that is on, the first at the start; the other arguments are those of `one_of`."""
    chosen = one_of(label, {view.id: view.title for view in views}, key=key, **more)
    return next(view for view in views if view.id == chosen)
