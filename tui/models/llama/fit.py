"""What of a long conversation is sent, when not all of it fits the context window."""

import math
from collections.abc import Callable, Iterator, Sequence

from tui.messages import Message


def shortened(
    messages: Sequence[Message],
    size: Callable[[Message], int],
    excess: int,
    step: int,
) -> Iterator[list[Message]]:
    """Yield `messages` without the oldest, then without more and more.

    Left out are whole turns, then the oldest rounds of calls and results of the
    last turn; never a system message, the last user's message, or the last round.
    About `excess` tokens go first, rounded up to a multiple of `step`, so that
    the same messages are left out for several turns: each change of what comes first
    has the model read everything again.
    """
    groups = _groups(messages)
    sizes = [sum(size(messages[i]) for i in group) for group in groups]
    wanted = math.ceil(max(1, excess) / step) * step
    gone: set[int] = set()
    dropped = 0
    for group, tokens in zip(groups, sizes, strict=True):
        gone.update(group)
        dropped += tokens
        if dropped >= wanted or group is groups[-1]:
            yield [m for i, m in enumerate(messages) if i not in gone]
            wanted = dropped + step


def _groups(messages: Sequence[Message]) -> list[list[int]]:
    """Return the indices of what may be left out together, oldest first."""
    users = [i for i, m in enumerate(messages) if m.role == "user"]
    last_user = users[-1] if users else -1
    groups: list[list[int]] = []
    rounds: list[list[int]] = []
    for i, message in enumerate(messages):
        if message.role == "system" or i == last_user:
            continue
        if i < last_user:
            if message.role == "user" or not groups:
                groups.append([])
            groups[-1].append(i)
        else:
            if message.role != "tool" or not rounds:
                rounds.append([])
            rounds[-1].append(i)
    return groups + rounds[:-1]
