"""The one door to all that lies below the screen.

The app asks for everything by way of a `Backend`: conversations, models, tools, the
configuration. It knows no file, no process and no query, so the same screen can be set
over another backend, such as one on another machine.

What says that it blocks waits for a disk or a network: it is called in a thread. All
else returns at once and may be called in the UI's thread. A future is done when what
was asked for outlives this program; it raises `LogError` when that could not be had.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

from tui.config import Config
from tui.conversation import Hit, Summary, Trashed
from tui.conversation.read_state import Opened
from tui.events import Record, TurnStarted
from tui.messages import Message
from tui.tools import Tool


class Follow(Protocol):
    """What a conversation has and gains. One thread iterates, any may close it."""

    def __enter__(self) -> object:
        """Return itself."""
        ...

    def __exit__(self, *_: object) -> object:
        """Close it."""
        ...

    def __iter__(self) -> Iterator[list[Record]]:
        """Give batches of records, the oldest first; waits for more. Raises `LogError`.

        It ends when it is closed.
        """
        ...

    @property
    def closed(self) -> bool:
        """Whether nothing will come any more."""
        ...

    def close(self) -> object:
        """End the iteration."""
        ...


class Conversation(Protocol):
    """One conversation. What is written to it is written in the order of the calls."""

    def opened(self, *, adopt: bool) -> Opened:
        """Return what is known of it besides its records. Blocks; raises `LogError`.

        With `adopt` a new one is offered the draft of a program that is gone.
        """
        ...

    def follow(self) -> Follow:
        """Return its records from the first on. Blocks; raises `LogError`."""
        ...

    def last_seq(self) -> int:
        """Return the `seq` of its last record, 0 without any. Blocks, `LogError`."""
        ...

    def ask(
        self,
        message: Message | None,
        *,
        model: str,
        tools: Collection[str],
        stream: bool,
        again: str | None = None,
        parent: str | None = None,
        purpose: str = "",
        forget_draft: bool = False,
    ) -> "Future[int]":
        """Ask for an answer to `message`; without one to the question `again` anew.

        The rest is as of `tui.events.TurnRequested` and `MessageAdded`; of the `tools`
        those are offered that there are. `forget_draft`: what was saved as a draft is
        none any more once the message is stored. The future gives the request's `seq`.
        """
        ...

    def sum_up(self, model: str, keep: str, parent: str | None) -> "Future[int]":
        """Ask `model` for a summary that keeps what `keep` says, as `/compact` does."""
        ...

    def cancel(self, turn: str) -> object:
        """Ask whoever runs a turn to stop it, or to ask it no more if it waits."""
        ...

    def withdraw(self, turn: str) -> object:
        """Take back a turn that waits and that nobody would hear the cancel of."""
        ...

    def take_over(self, turn: str) -> object:
        """End a turn in the place of its runner. Blocks; raises `LogError`."""
        ...

    def end_if_gone(self, owner: TurnStarted) -> object:
        """End the turns of `owner` if its process is gone. Blocks, `LogError`."""
        ...

    def save_draft(self, text: str) -> "Future[int]":
        """Keep what is being written, "" for nothing; done when it outlives a kill."""
        ...

    def adopt_draft(self, text: str) -> object:
        """Keep the draft that `opened` has offered, which nobody else is offered."""
        ...

    def mark_seen(self, seq: int) -> object:
        """Keep that the user knows everything up to `seq`; it never goes back."""
        ...


class Store(Protocol):
    """All conversations. Everything but the properties blocks and raises `LogError`."""

    @property
    def keeps(self) -> bool:
        """Whether what is changed outlives the program."""
        ...

    @property
    def refusal(self) -> str:
        """Why what is stored cannot be changed now, "" when it can."""
        ...

    def tail(self) -> int:
        """Return a number that grows when anything is written."""
        ...

    def flush(self) -> object:
        """Wait until all that was written here can be read."""
        ...

    def get(self, id: str) -> Summary | None:
        """Return the summary of a conversation; None when it is not stored."""
        ...

    def recent(self, limit: int = -1) -> Sequence[Summary]:
        """Return the conversations for a list; `limit` -1 means all."""
        ...

    def search(self, query: str, limit: int) -> Sequence[Hit]:
        """Return the newest messages that `query` finds."""
        ...

    def questions(self, besides: str) -> Sequence[str]:
        """Return what the user asked in other conversations, the oldest first."""
        ...

    def titles(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Return the titles of those of `ids` that are stored."""
        ...

    def answering(self, ids: Sequence[str] | None = None) -> set[str]:
        """Return those of `ids`, None for all, in which a turn runs."""
        ...

    def unread(self, ids: Sequence[str] | None = None) -> set[str]:
        """Return those of `ids`, None for all, with an answer that nobody has seen."""
        ...

    def is_answering(self, id: str) -> bool:
        """End what nobody runs any more; return whether a turn still runs."""
        ...

    def rename(self, id: str, title: str) -> object:
        """Give a conversation a title."""
        ...

    def pin(self, id: str, pinned: bool) -> object:
        """Keep a conversation at the top of lists, or no longer."""
        ...

    def trash(self, id: str) -> object:
        """Delete a conversation so that it can be brought back."""
        ...

    def trashed(self) -> Sequence[Trashed]:
        """Return what can be brought back, the last deleted first."""
        ...

    def restore(self, deleted: Trashed) -> str:
        """Bring a conversation back; return its id."""
        ...

    def wipe(self, deleted: Sequence[Trashed]) -> str:
        """Wipe what was deleted; return what is to be said of traces, or ""."""
        ...

    def export_json(self, id: str) -> str:
        """Return a conversation as a file that `import_json` reads."""
        ...

    def export_markdown(self, id: str) -> str:
        """Return a conversation as a page to be read."""
        ...

    def import_json(self, text: str) -> Sequence[str]:
        """Store the conversations of a file; return their ids."""
        ...


class Models(Protocol):
    """The models that can be asked, by their names."""

    @property
    def names(self) -> list[str]:
        """The names that are offered; others may do too."""
        ...

    def find(self, name: str) -> object:
        """Do nothing if `name` is a model, else raise `ConfigError`."""
        ...

    def about(self, name: str) -> str:
        """Return in a few words what `name` stands for."""
        ...

    def note(self, name: str) -> str:
        """Return a line that the user should know of the model, or ""."""
        ...

    def window(self, name: str) -> int:
        """Return how many tokens it can have before it, 0 when that is not known."""
        ...

    def preload(self, name: str) -> object:
        """Do ahead what the first answer would wait for. Blocks."""
        ...

    def warm(self, name: str) -> object:
        """Have a model that was preloaded read what answers begin with. Blocks."""
        ...

    def learn_window(self, name: str) -> object:
        """Ask a server what `window` is to return. Blocks."""
        ...


class Backend(Protocol):
    """Everything below the screen."""

    model: str
    """The name of the model that a new conversation asks."""

    @property
    def config(self) -> Config:
        """What the user has configured."""
        ...

    @property
    def problems(self) -> list[str]:
        """Lines for the user, to which all may add."""
        ...

    @property
    def models(self) -> Models:
        """The models that can be asked."""
        ...

    @property
    def store(self) -> Store:
        """All conversations."""
        ...

    def conversation(self, id: str, *, is_new: bool = False) -> Conversation:
        """Return the conversation `id`; `is_new`: nothing was ever written to it."""
        ...

    @property
    def tools(self) -> Sequence[Tool[..., Any]]:
        """The tools that there are."""
        ...

    @property
    def enabled(self) -> set[str]:
        """The names of the tools that are on at the start."""
        ...

    @property
    def has_own_tools(self) -> bool:
        """Whether there are files of the user's for `load_tools`."""
        ...

    def load_tools(self, only: Sequence[str] = ()) -> object:
        """Load the user's own tools; blocks, runs their code, raises `ConfigError`."""
        ...

    @property
    def keeps(self) -> bool:
        """Whether the store could be opened, so that others can read what is said."""
        ...

    @property
    def kept_to(self) -> int | None:
        """The last `seq` that would outlive a kill of the program, None when all do."""
        ...

    @property
    def unkept(self) -> bool:
        """Whether what is said now would be lost if the program were killed."""
        ...

    @property
    def wanted(self) -> int:
        """How many turns of this program run or wait that nobody has cancelled."""
        ...

    @property
    def busy(self) -> bool:
        """Whether a turn of this program runs or waits."""
        ...

    def runs(self, turn: str) -> bool:
        """Whether this program runs a turn right now."""
        ...

    def serves(self, runner: str) -> bool:
        """Whether `runner`, as a request names it, is known to be there."""
        ...

    def is_here(self, owner: TurnStarted) -> bool:
        """Whether it can be told from here if the process `owner` still lives."""
        ...

    def failure(self, turn: str) -> str:
        """Return why a turn of this program could not be written to its end, or ""."""
        ...
