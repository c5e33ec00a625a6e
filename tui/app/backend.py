"""Defines the only interface to everything below the screen.

The app reaches conversations, models, tools and the configuration through a `Backend`.
It uses no file, process or query itself, so the same screen works over another backend,
such as one on another machine.

A method that blocks waits for a disk or a network: call it in a thread. All others
return at once and may be called in the UI thread. A future is done when the requested
change survives the end of this program; it raises `LogError` if the change failed.

The file is long because it is one interface, whose parts lead to one another.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Protocol

from tui.config import Config, Price
from tui.conversation import Summary
from tui.conversation.approvals import Question
from tui.conversation.read_state import Opened
from tui.events import (
    ApprovalGiven,
    ConversationConfigured,
    Record,
    TurnRequested,
    TurnStarted,
)
from tui.grants import Grant
from tui.mcp import Servers
from tui.messages import Attachment, Message

if TYPE_CHECKING:  # imported when first used
    from tui.conversation import Hit, Trashed
    from tui.conversation.comparison import AskedModel
    from tui.conversation.costs import Tally
    from tui.conversation.preview import Spoken
    from tui.models.discovery import Found, ListedModel, Service
    from tui.models.exchanges import Exchanges
    from tui.models.hub import Pull, Wanted
    from tui.models.setup import Chosen, Kept, Place
    from tui.tools import Tool
    from tui.tools.policy import Policy
    from tui.turn import Cancellation


class Follow(Protocol):
    """The records of a conversation. One thread iterates, any thread may close it."""

    def __enter__(self) -> object:
        """Return itself."""
        ...

    def __exit__(self, *_: object) -> object:
        """Close it."""
        ...

    def __iter__(self) -> Iterator[list[Record]]:
        """Yield batches of records, oldest first, and wait for more.

        Raises `LogError`. The iteration ends when this is closed.
        """
        ...

    @property
    def closed(self) -> bool:
        """Whether no more records will come."""
        ...

    def close(self) -> object:
        """End the iteration."""
        ...


class Conversation(Protocol):
    """One conversation. Writes are stored in the order of the calls."""

    def opened(self, *, adopt: bool) -> Opened:
        """Return its state besides the records. Blocks; raises `LogError`.

        With `adopt`, a new conversation is offered the draft of a program that has
        exited.
        """
        ...

    def follow(self) -> Follow:
        """Follow its records from the first on. Blocks; raises `LogError`."""
        ...

    def last_seq(self) -> int:
        """Return the `seq` of its last record, or 0. Blocks; raises `LogError`."""
        ...

    def ask(
        self,
        message: Message | None,
        *,
        model: str,
        agent: str,
        tools: Callable[[], Collection[str]],
        stream: bool,
        again: str | None = None,
        parent: str | None = None,
        purpose: str = "",
        forget_draft: bool = False,
    ) -> "Future[int]":
        """Request an answer to `message`, or another one to the question `again`.

        For the other arguments see `tui.events.TurnRequested` and `MessageAdded`;
        `tools` returns the names of those that are offered, and is called in another
        thread once the user's own are loaded; unknown ones are ignored. `forget_draft`
        removes the stored draft together with storing the message. The future gives the
        request's `seq`.
        """
        ...

    def compare(
        self,
        question: Message | str,
        models: "Sequence[AskedModel]",
        *,
        agent: str,
        stream: bool,
        parent: str | None = None,
        forget_draft: bool = False,
    ) -> "Future[int]":
        """Request an answer from each of `models`, one after the other.

        `question` is a new message, or the id of one that was asked before. All is
        stored in one transaction. The last request is marked: after its turn, screens
        name both answers. For the other arguments and the future see `ask`.
        """
        ...

    def configure(self, settings: ConversationConfigured) -> "Future[int]":
        """Give the conversation settings of its own, from the next turn on.

        In a conversation without a question they are stored with the first one.
        """
        ...

    def sum_up(self, model: str, keep: str, parent: str | None) -> "Future[int]":
        """Request a summary from `model` that keeps what `keep` names."""
        ...

    def answer(
        self, question: Question, given: ApprovalGiven, resumed: TurnRequested | None
    ) -> "Future[int]":
        """Answer the question whether a tool may run.

        `resumed` is the request of a turn whose process is gone, which then goes on in
        a new turn. The future raises `ConflictError` if another answer was first.
        """
        ...

    def revoke(self, tool: str, origin: str) -> object:
        """Revoke what was allowed for this conversation."""
        ...

    def cancel(self, turn: str) -> object:
        """Ask the process that runs a turn to stop it, or to drop a queued one."""
        ...

    def withdraw(self, turn: str) -> object:
        """Take back a queued turn that no process will run or cancel."""
        ...

    def take_over(self, turn: str) -> object:
        """End a turn in place of its runner. Blocks; raises `LogError`."""
        ...

    def end_if_gone(self, owner: TurnStarted) -> object:
        """End the turns of `owner` if its process is gone. Blocks, `LogError`."""
        ...

    def save_draft(self, text: str, files: Sequence[Attachment] = ()) -> "Future[int]":
        """Save the draft, if there is any; done when it survives a kill."""
        ...

    def adopt_draft(self, text: str, files: Sequence[Attachment] = ()) -> object:
        """Take the draft that `opened` offered, so that it is not offered again."""
        ...

    def mark_seen(self, seq: int) -> object:
        """Store that the user has seen everything up to `seq`; it never decreases."""
        ...


class Store(Protocol):
    """All conversations. All methods block and raise `LogError`; properties do not."""

    @property
    def keeps(self) -> bool:
        """Whether changes survive the end of the program."""
        ...

    @property
    def refusal(self) -> str:
        """Why the store cannot be changed now, "" if it can."""
        ...

    def tail(self) -> int:
        """Return a number that grows with every write."""
        ...

    def flush(self) -> object:
        """Wait until all earlier writes of this program can be read."""
        ...

    def get(self, id: str) -> Summary | None:
        """Return the summary of a conversation, None if it is not stored."""
        ...

    def recent(self, limit: int = -1) -> Sequence[Summary]:
        """Return the conversations for a list; a `limit` of -1 means all."""
        ...

    def search(self, query: str, limit: int) -> "Sequence[Hit]":
        """Return the newest messages that match `query`."""
        ...

    def spent(self, since: float, price: Callable[[str], Price | None]) -> "Tally":
        """Add up what all conversations have spent since a time, by any program.

        `price` returns what a model's tokens cost, for requests whose cost is not
        stored.
        """
        ...

    def preview(self, id: str, seq: int = 0) -> "Sequence[Spoken]":
        """Return the last messages of a conversation, or those around `Hit.seq`."""
        ...

    def questions(self, besides: str) -> Sequence[str]:
        """Return the user's questions in other conversations, oldest first."""
        ...

    def titles(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Return the titles of the stored conversations among `ids`."""
        ...

    def answering(self, ids: Sequence[str] | None = None) -> set[str]:
        """Return the conversations among `ids` (None: all) with a running turn."""
        ...

    def waiting(self) -> set[str]:
        """Return the conversations that wait for the user's permission."""
        ...

    def unread(self, ids: Sequence[str] | None = None) -> set[str]:
        """Return the conversations among `ids` (None: all) with an unseen answer."""
        ...

    def is_answering(self, id: str) -> bool:
        """End turns of exited processes; return whether a turn is still running."""
        ...

    def rename(self, id: str, title: str) -> object:
        """Give a conversation a title."""
        ...

    def pin(self, id: str, pinned: bool) -> object:
        """Pin a conversation to the top of lists, or unpin it."""
        ...

    def fork(self, id: str, message_id: str, title: str) -> str:
        """Copy a conversation up to a message ("": all of it); return the copy's id.

        An empty `title` stands for one made from the original's.
        """
        ...

    def trash(self, id: str) -> object:
        """Delete a conversation so that it can be restored."""
        ...

    def trashed(self) -> "Sequence[Trashed]":
        """Return the conversations that can be restored, last deleted first."""
        ...

    def restore(self, deleted: "Trashed") -> str:
        """Restore a conversation; return its id."""
        ...

    def wipe(self, deleted: "Sequence[Trashed]") -> str:
        """Permanently delete conversations; return a warning about traces, or ""."""
        ...

    def export_json(self, id: str) -> str:
        """Return a conversation in the format that `import_json` reads."""
        ...

    def export_markdown(self, id: str, folder: str = "") -> str:
        """Return a conversation as a readable page, with pictures from `folder`."""
        ...

    def pictures(self, id: str) -> Mapping[str, bytes]:
        """Return the pictures of that page by their names in the folder."""
        ...

    def import_json(self, text: str) -> Sequence[str]:
        """Store the conversations of an exported file; return their ids."""
        ...


class Models(Protocol):
    """The available models by name."""

    @property
    def names(self) -> list[str]:
        """The listed names; `find` may accept others too."""
        ...

    def find(self, name: str) -> object:
        """Return the model `name`; raise `ConfigError` if there is none."""
        ...

    def is_starter(self, name: str) -> bool:
        """Return whether `name` is the bundled model, which is for trying out only."""
        ...

    def about(self, name: str) -> str:
        """Return a short description of `name`."""
        ...

    def note(self, name: str) -> str:
        """Return a line that the user should know about the model, or ""."""
        ...

    def sees(self, name: str) -> bool | None:
        """Return whether a model takes pictures, None if that is not known."""
        ...

    def no_effort(self, name: str) -> str:
        """Return why a model's reasoning effort cannot be set, or ""."""
        ...

    def window(self, name: str) -> int:
        """Return the size of the context window in tokens, 0 if it is unknown."""
        ...

    def preload(self, name: str) -> object:
        """Load in advance what the first answer needs. Blocks."""
        ...

    def warm(self, name: str) -> object:
        """Let a preloaded local model read what every prompt begins with. Blocks."""
        ...

    def learn_window(self, name: str) -> object:
        """Ask a server for the value of `window`. Blocks."""
        ...


class Files(Protocol):
    """The files that can be attached. All methods block: call them in a thread."""

    def load(self, spec: str) -> Attachment:
        """Read `FILE` or `FILE:10-40`; raises `AttachmentError`."""
        ...

    def mentioned(self, text: str) -> Sequence[str]:
        """Return the files that a message mentions with `@`, for `load`."""
        ...

    def leads_out(self, spec: str) -> bool:
        """Return whether a file is, by a link, outside of the current folder."""
        ...

    def pasted(self, text: str) -> Sequence[str]:
        """Return the files of which a pasted text is the paths, [] for other texts."""
        ...

    def matching(self, word: str) -> Sequence[str]:
        """Return the files that a word may mean, the best first; never raises."""
        ...


class Setup(Protocol):
    """Finds and adds models. All methods block, and raise `LazychatError`.

    A held key is known to this program only; `keep` stores it.
    """

    def services(self) -> "Sequence[Service]":
        """Return the known services, those with a key first. Reads a small file."""
        ...

    def look(self) -> "Found":
        """Look for servers, files and services; takes up to 2.5 seconds."""
        ...

    def with_key(self, place: "Place", text: str) -> "Place":
        """Return the place with the key, or the `!command`, that the user typed."""
        ...

    def models_at(
        self, place: "Place", cancel: "Cancellation"
    ) -> "Sequence[ListedModel]":
        """Return the models that a server lists; `NoList` if it has no list."""
        ...

    def model_at(self, place: "Place", model: str) -> "Chosen":
        """Return the model that a server calls `model`."""
        ...

    def check_key(self, place: "Place", cancel: "Cancellation") -> object:
        """Raise `ModelError` if a server refuses its key, or wants one. Blocks."""
        ...

    def try_model(self, chosen: "Chosen", cancel: "Cancellation") -> object:
        """Have a model on a server say its first word."""
        ...

    def keep_key(self, place: "Place") -> object:
        """Store the key that `with_key` holds."""
        ...

    def keep(self, chosen: "Chosen", *, default: bool) -> "Kept":
        """Add a model to the configuration, for this program at least."""
        ...

    def pull(self, what: "Wanted") -> "Pull":
        """Return a download; iterating it runs it."""
        ...


class Backend(Protocol):
    """Everything below the screen."""

    mcp: Servers
    """The MCP servers, which the app starts; none where another process has them."""
    model: str
    """The name of the model for new conversations."""
    agent: str
    """The name of the agent for new conversations; see `tui.agent_names`."""
    keys: dict[str, str]
    """Command to keys, as settled by the app from `config.keys`."""

    @property
    def config(self) -> Config:
        """The user's configuration."""
        ...

    @property
    def problems(self) -> list[str]:
        """Lines for the user; any part may add to them."""
        ...

    @property
    def refused(self) -> Mapping[str, str]:
        """Names of commands that do not work here, with the reasons.

        Besides those of `tui.app.commands`, `suspend`.
        """
        ...

    @property
    def is_page(self) -> bool:
        """Whether a page in a browser is the terminal: its address is kept right."""
        ...

    @property
    def models(self) -> Models:
        """The available models."""
        ...

    @property
    def setup(self) -> Setup:
        """Finds and adds models."""
        ...

    @property
    def store(self) -> Store:
        """All conversations."""
        ...

    @property
    def files(self) -> Files:
        """The files that can be attached."""
        ...

    def price(self, name: str) -> Price | None:
        """Return what a model's tokens cost by the configuration; None if unknown."""
        ...

    def conversation(self, id: str, *, is_new: bool = False) -> Conversation:
        """Return the conversation `id`; `is_new` if nothing was ever written to it."""
        ...

    @property
    def exchanges(self) -> "Exchanges":
        """The last requests to models, as sent; not those of other processes."""
        ...

    @property
    def tools(self) -> "Sequence[Tool[..., Any]]":
        """The available tools."""
        ...

    @property
    def tool_names(self) -> Sequence[str] | None:
        """The names of `tools`; None before the first frame, if they are lazychat's.

        They are imported after it.
        """
        ...

    def enabled_for(self, model: str) -> set[str]:
        """Return the names of the tools that are on at the start with a model."""
        ...

    def grants(self) -> Sequence[Grant]:
        """Return what the user has always allowed. Blocks: reads a small file."""
        ...

    def revoke(self, grant: Grant) -> object:
        """Revoke what was always allowed. Blocks; raises `LazychatError`."""
        ...

    def policy(self, tool: "Tool[..., Any]") -> "Policy":
        """Return whether a tool asks before it runs."""
        ...

    @property
    def tools_folder(self) -> str:
        """Where the user adds tools, "" if that is not possible."""
        ...

    @property
    def has_own_tools(self) -> bool:
        """Whether `load_tools` has files of the user to load."""
        ...

    def expect_tools(self) -> None:
        """Have questions wait for `load_tools`, which will be called soon."""
        ...

    def load_tools(self, only: Sequence[str] = ()) -> object:
        """Load the user's tools. Blocks, runs their code, raises `ConfigError`."""
        ...

    @property
    def keeps(self) -> bool:
        """Whether the store is open, so that other programs can read new messages."""
        ...

    @property
    def temporary(self) -> bool:
        """Whether nothing is stored, because the user wants that."""
        ...

    @property
    def kept_to(self) -> int | None:
        """The last `seq` that would survive a kill of the program, None if all do."""
        ...

    @property
    def unkept(self) -> bool:
        """Whether a kill of the program would lose new messages."""
        ...

    @property
    def wanted(self) -> int:
        """Number of this program's running and queued turns that are not cancelled."""
        ...

    @property
    def busy(self) -> bool:
        """Whether a turn of this program is running or queued."""
        ...

    def runs(self, turn: str) -> bool:
        """Return whether this program is running a turn."""
        ...

    def serves(self, runner: str) -> bool:
        """Return whether `runner`, as named in a request, is known to be alive."""
        ...

    def is_here(self, owner: TurnStarted) -> bool:
        """Return whether this machine can check if the process `owner` is alive."""
        ...

    def failure(self, turn: str) -> str:
        """Return why a turn of this program could not be written completely, or ""."""
        ...
