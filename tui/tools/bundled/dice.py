"""Rolls dice, with the randomness that the system has for keys."""

from secrets import randbelow
from typing import Any

from tui.errors import ToolError
from tui.tools.base import tool

_MOST_DICE, _MOST_SIDES, _MOST_ADDED = 100, 1_000_000, 1_000_000


@tool(
    keywords=(
        *("dice", "die", "roll", "d4", "d6", "d8", "d10", "d12", "d20", "d100"),
        *("骰子", "掷", "擲"),
    )
)
def roll_dice(count: int = 1, sides: int = 6, modifier: int = 0) -> dict[str, Any]:
    """Roll dice. 2d6+3 in dice notation is count 2, sides 6 and modifier 3.

    Args:
        count: How many to roll, 1 to 100.
        sides: How many sides each has.
        modifier: What is added to their sum; less than 0 is taken off.
    """
    for name, value, low, high in (
        ("count", count, 1, _MOST_DICE),
        ("sides", sides, 2, _MOST_SIDES),
        ("modifier", modifier, -_MOST_ADDED, _MOST_ADDED),
    ):
        if not low <= value <= high:
            raise ToolError(f"{name} must be {low} to {high}, not {value}")
    rolls = [randbelow(sides) + 1 for _ in range(count)]
    return {"rolls": rolls, "total": sum(rolls) + modifier}
