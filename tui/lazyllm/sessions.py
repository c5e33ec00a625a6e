"""LazyLLM's names for sessions."""

from collections.abc import Generator
from contextlib import contextmanager

from tui import session


def init_session(sid: str | None = None) -> str:
    """Begin a session in this thread and its pools, and return its id."""
    id = sid or session.new_id()
    session.begin(id)
    return id


def teardown_session() -> None:
    """Leave the session for the one that the whole process shares.

    Its messages stay in the log.
    """
    session.begin("")


@contextmanager
def new_session(sid: str | None = None) -> Generator[str]:
    """Run the block in a session of its own, whose id it is given."""
    id = sid or session.new_id()
    with session.use(id):
        yield id
