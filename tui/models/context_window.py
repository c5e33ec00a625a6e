"""Chooses which messages are sent when not all fit the model's window.

The only place that decides this; models only measure messages, each in its own way:
llama.cpp exactly, others by an estimate.

What is left out grows in steps of a quarter of the window. A server (and llama.cpp
itself) keeps what it has computed for the beginning of a request; if one more turn
were left out at each question, the beginning would be another each time and all of it
would be read anew. So the same messages stay left out for several turns.
"""

import math
from collections.abc import Callable, Iterator, Sequence

import msgspec

from tui.events import NoticeGiven
from tui.i18n import _, ngettext
from tui.messages import Attachment, Message
from tui.turn import Turn

MESSAGE_TOKENS = 4
"""Roughly how much a template puts around a message."""
IMAGE_TOKENS = 1000
"""Roughly what an image takes: services cut it into tiles of 100 to 300 tokens."""
_MOST_RESERVED = 16_384
"""Tokens kept for the answer, at most: hardly any answer is longer."""


class Fitted(msgspec.Struct, frozen=True):
    """What is sent of a conversation."""

    messages: list[Message]
    tokens: int
    """What they take; more than was allowed when nothing more can be left out."""
    left_out: int
    """How many messages are missing."""
    first: Message | None
    """The first message of the rest (no pinned one) when older ones are missing."""


def fit(
    messages: Sequence[Message],
    count: Callable[[Sequence[Message]], int],
    size: Callable[[Message], int],
    limit: int,
) -> Fitted:
    """Return as much of `messages` as takes at most `limit` tokens.

    Left out are whole turns, the oldest first, and when the last turn alone is too
    long the oldest rounds of its calls and results; never a system or pinned message,
    the last question, or the last round. A result is never without its call. `count`
    gives the tokens of a request, tools included; `size` about those of a message.
    """
    tokens = count(messages)
    if tokens <= limit:
        return Fitted(list(messages), tokens, 0, None)
    kept: Sequence[Message] = messages
    # A third of the limit is a quarter of the window, of which a quarter is reserved.
    for kept in shortened(messages, size, tokens - limit, max(1, limit // 3)):
        tokens = count(kept)
        if tokens <= limit:
            break
    left_out = len(messages) - len(kept)
    loose = [m for m in kept if m.role != "system" and not m.pinned]
    return Fitted(list(kept), tokens, left_out, loose[0] if left_out else None)


def reserved(window: int, max_tokens: int | None) -> int:
    """Return how many tokens of the window are kept for the answer."""
    return min(max_tokens or _MOST_RESERVED, window // 4)


def notice(fitted: Fitted, model: str, window: int, turn: Turn) -> NoticeGiven:
    """Return what the user is told of a conversation that is not sent whole.

    `window` 0 means that it is not known.
    """
    first = fitted.first
    if window:
        longer = _(
            "The conversation is longer than the {window:,} tokens that {model} "
            "can hold"
        ).format(window=window, model=model)
    else:
        longer = _("The conversation is longer than {model} can take").format(
            model=model
        )
    text = ngettext(
        "{longer}: its oldest {count} message is no longer sent.",
        "{longer}: its oldest {count} messages are no longer sent.",
        fitted.left_out,
    )
    return NoticeGiven(
        text.format(longer=longer, count=fitted.left_out),
        fitted.left_out,
        turn.id_of(first) if first is not None else "",
    )


def estimate(text: str) -> int:
    """Return about how many tokens `text` takes, without a tokenizer.

    A quarter of a token for each ASCII character and a third for each byte of the
    others in UTF-8: one for a Chinese character, two thirds for a Cyrillic one.
    """
    ascii = len(text.encode("ascii", "ignore"))
    rest = len(text.encode("utf-8", "replace")) - ascii
    return math.ceil(ascii / 4 + rest / 3)


def estimate_message(message: Message) -> int:
    """Return about how many tokens `message` takes.

    Its reasoning is sent where its server wants it back.
    """
    tokens = MESSAGE_TOKENS + estimate(message.text)
    if message.reasoning_field:
        tokens += estimate(message.reasoning)
    for call in message.tool_calls:
        tokens += MESSAGE_TOKENS + estimate(call.name) + estimate(str(call.arguments))
    return tokens + sum(map(estimate_file, message.attachments))


def estimate_file(file: Attachment) -> int:
    """Return about how many tokens a file takes: of a reference, by its size."""
    if file.is_image:
        return IMAGE_TOKENS
    if file.data:
        return estimate(file.data.decode("utf-8", "replace"))
    return math.ceil(file.size / 4)


def shortened(
    messages: Sequence[Message],
    size: Callable[[Message], int],
    excess: int,
    step: int,
) -> Iterator[list[Message]]:
    """Yield `messages` without the oldest, then without more and more.

    About `excess` tokens go first, rounded up to a multiple of `step`; see `fit`.
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
    users = [i for i, m in enumerate(messages) if m.role == "user" and not m.pinned]
    last_user = users[-1] if users else -1
    groups: list[list[int]] = []
    rounds: list[list[int]] = []
    for i, message in enumerate(messages):
        if message.role == "system" or message.pinned or i == last_user:
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
