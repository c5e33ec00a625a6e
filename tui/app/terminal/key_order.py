"""Delivers keys in the order in which they were pressed.

Textual passes a key to the focused widget at once, but runs a binding only when the key
has bubbled up to the app, so later keys overtake it. Over a slow link keys come in
bursts, and "teh", Backspace, Backspace, "he" became "tehhe". Here the next key waits
until the last one has finished bubbling. Keys that do more than type may also open or
close a screen, by messages that bubble in their turn: the next key waits for these too,
as it is meant for the screen that the user will see then.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from textual.app import App
from textual.dom import DOMNode
from textual.events import Event, Key, Paste

from tui.safe import safe

PATIENCE = 0.25
"""Seconds after which a key counts as done, in case its widget has been removed."""

LONGEST = 2.0
"""Most seconds that `KeyOrder.hold` keeps keys back."""

_WALKS = 3
"""How often the way of a key that does more than type is walked: behind the key, behind
the message that its widget sends, behind the message that the screen makes of that."""


def typed(event: Key) -> str:
    """Return the character that a key types, or "".

    Textual accepts only characters that Python calls printable. Keyboards type more:
    the joiners of Persian, Hindi and emoji, the wide space of Chinese and Japanese, and
    emoji that are newer than Python. Characters that `safe` would change are not
    accepted.
    """
    character = event.character or ""
    if event.is_printable:
        return character
    wanted = len(character) == 1 and character != "\n" and safe(character) == character
    return character if wanted else ""


class KeyOrder:
    """A queue of an app's keys and pastes; each waits for the one before it.

    `handle` passes an event to Textual. Runs in the UI thread.
    """

    def __init__(
        self, app: App[None], handle: Callable[[Event], Awaitable[None]]
    ) -> None:
        self._app = app
        self._handle = handle
        self._keys: deque[Key | Paste] = deque()
        self._on_its_way: object | None = None
        """A token of the key that is being handled."""
        self._held: object | None = None
        """The token of the last `hold`."""

    async def take(self, event: Key | Paste) -> None:
        """Queue an event from the terminal, and handle it when it is its turn."""
        self._keys.append(event)
        if self._on_its_way is None:
            await self._next_key()
        elif self._on_its_way is self._held and self._is_urgent(event):
            self._arrived(self._held)

    def _is_urgent(self, event: Key | Paste) -> bool:
        """Whether it is a key that works everywhere, such as that to quit."""
        if not isinstance(event, Key):
            return False
        found = self._app.screen.active_bindings.get(event.key)
        return found is not None and found.binding.priority

    async def _next_key(self) -> None:
        app = self._app
        while self._keys and self._on_its_way is None:
            event = self._keys.popleft()
            if isinstance(event, Key) and (parts := self._apart(event)):
                event, letter = parts
                self._keys.appendleft(letter)
            way = (app.focused or app.screen).ancestors_with_self
            await self._handle(event)
            if event.is_forwarded and self._on_its_way is None:
                types = isinstance(event, Paste) or typed(event)
                token = self._wait(PATIENCE)
                self._accompany(token, way, 1 if types else _WALKS)
            # Otherwise a priority binding of the app has handled the key already.

    def _apart(self, event: Key) -> tuple[Key, Key] | None:
        """Return Esc and the letter if that is what was pressed, and not Alt.

        Typed quickly or over a slow link, both come in one read, as they do from Alt.
        If the rest of a word follows, `Reader` has noted the two characters. Alt with a
        letter that has a meaning keeps it.
        """
        sent = event.character or ""
        if len(sent) != 2 or sent[0] != "\x1b":
            return None
        if event.key in self._app.screen.active_bindings:
            return None
        return Key("escape", "\x1b"), Key(sent[1], sent[1])

    def hold(self) -> Callable[[], None]:
        """Keep the keys that come now until the returned function is called.

        For what a key has started and takes a moment, such as a search whose result is
        to be opened. After `LONGEST` seconds, or a key that works everywhere, the keys
        are delivered in any case.
        """
        token = self._held = self._wait(LONGEST)

        def release() -> None:
            if self._on_its_way is token:  # behind what the screen has just sent
                self._accompany(token, self._app.screen.ancestors_with_self, 1)

        return release

    def _wait(self, seconds: float) -> object:
        token = self._on_its_way = object()
        asyncio.get_running_loop().call_later(seconds, self._arrived, token)
        return token

    def _accompany(self, token: object, way: Sequence[DOMNode], walks: int) -> None:
        """Queue up behind the key, and what it sends, at each node of `way`."""

        def step(nodes: Iterator[DOMNode], left: int) -> None:
            node: Any = next(nodes, None)
            if node is None and left:
                nodes, left = iter(way), left - 1
                node = next(nodes, None)
            if node is None or not node.call_later(step, nodes, left):
                self._arrived(token)

        step(iter(way), walks - 1)

    def _arrived(self, token: object) -> None:
        if self._on_its_way is token:
            self._on_its_way = None
            self._app.call_later(self._next_key)
