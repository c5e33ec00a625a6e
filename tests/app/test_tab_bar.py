"""The tabs of the header: how their titles are distinguished."""

import pytest
from rich.cells import cell_len

from tui.app.widgets.tab_bar import ChatBar, Tab


def names(width: int, *titles: str) -> list[str]:
    bar = ChatBar()
    bar.set_reactive(ChatBar.tabs, tuple(Tab(str(n), t) for n, t in enumerate(titles)))
    return [text[2:].rstrip() for id, (text, __) in bar.spans(width) if id]


def test_tabs_of_one_title_are_numbered() -> None:
    assert names(160, "Dice", "", "Dice", "", "Dice") == [
        "Dice",
        "New conversation",
        "Dice (2)",
        "New conversation (2)",
        "Dice (3)",
    ]


def test_titles_that_look_equal_once_cut_are_numbered() -> None:
    long = "How do I rate limit an API"

    assert names(60, f"{long} in Go?", f"{long} in Rust?") == [
        "How do I rate lim…",
        "How do I rate… (2)",
    ]


@pytest.mark.parametrize("width", [4, 20, 59, 60, 80])
@pytest.mark.parametrize("title", ["", "限制一个接口的速率，怎么做？", "a\x1b[31m"])
def test_numbered_tabs_keep_their_width(width: int, title: str) -> None:
    bar = ChatBar()
    bar.set_reactive(ChatBar.tabs, tuple(Tab(str(n), title) for n in range(4)))

    spans = bar.spans(width)

    assert sum(cell_len(text) for __, (text, __) in spans) <= width


def test_the_mark_of_what_runs_is_not_that_of_a_title_that_is_cut() -> None:
    bar = ChatBar()
    long = Tab("a", "How do I rate limit an API? Compare the algorithms", running=True)
    bar.set_reactive(ChatBar.tabs, (long, Tab("b", "Dice")))

    tab = next(text for id, (text, __) in bar.spans(60) if id == "a")

    assert tab.strip().startswith("● How do I rat")
    assert tab.rstrip().endswith("…")
