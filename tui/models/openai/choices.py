"""Selects one answer from a stream that may contain several."""

from tui.models.openai.chunks import Choice

_OTHERS_FIRST = 8
"""Choices of another number that are held back until the first one is known."""


class FirstChoice:
    """Passes on the choice with index 0, or else the lowest index.

    Some servers count from 1; some send several answers although one was requested.
    """

    def __init__(self) -> None:
        self._number: int | None = None
        self._held: list[tuple[int, Choice]] = []

    def take(self, choice: Choice) -> list[Choice]:
        """Return the choices to read now."""
        number = choice.index if isinstance(choice.index, int) else 0
        if self._number is None:
            if number:
                self._held.append((number, choice))
                return self.release() if len(self._held) > _OTHERS_FIRST else []
            self._number = 0
            self._held.clear()
        return [choice] if number == self._number else []

    def release(self) -> list[Choice]:
        """Return what was held back, at the end of the stream."""
        held, self._held = self._held, []
        if not held or self._number is not None:
            return []
        self._number = min(number for number, _ in held)
        return [choice for number, choice in held if number == self._number]
