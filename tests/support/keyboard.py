"""What a user does, by the bytes that a terminal sends, on a clock of its own."""

from textual import events

from tui.app.terminal.tty_reader import Reader


class User:
    """One whose keys and pastes come from a terminal, on a clock of their own."""

    def __init__(self, *due: tuple[int, int]) -> None:
        self.due = list(due)
        """Column and row of each answer that is to come."""
        self.reader = Reader(lambda: self.due, 0.025)
        self.now = 100.0
        self.did: list[str] = []
        """Each key that was pressed, and each paste in brackets."""
        self.typed = ""
        """The characters of the keys."""

    def send(self, data: bytes, pause: float = 0.0) -> "User":
        if data:
            self._note(self.reader.feed(data, self.now))
        until = self.now + pause
        while (wait := self.reader.wait(self.now)) <= until - self.now:
            self.now += max(wait, 0.001)
            self._note(self.reader.tick(self.now))
        self.now = until
        return self

    def _note(self, messages):
        for message in messages:
            if isinstance(message, events.Key):
                self.did.append(message.key)
                self.typed += message.character or ""
            elif isinstance(message, events.Paste):
                self.did.append(f"<{message.text}>")
            elif isinstance(message, events.CursorPosition):
                if (place := (message.x + 1, message.y + 1)) in self.due:
                    self.due.remove(place)
                self.did.append(f"({message.x},{message.y})")

    @property
    def pasted(self) -> str:
        return "".join(act[1:-1] for act in self.did if act.startswith("<"))
