"""`StreamCallHelper`: a blocking call as a generator of its text."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import Future, wait
from typing import Any

from tui import session
from tui.lazyllm.file_queue import FileSystemQueue
from tui.lazyllm.pool import ThreadPoolExecutor


class StreamCallHelper:
    """Calls `impl` in a thread, and yields the text for the user as it comes.

    The queue is read every `interval` seconds. If `impl` returns text that it has not
    said, that comes last. Each call has a session of its own, unless `init_sid` is
    false. Leaving the generator early cancels the call.
    """

    def __init__(
        self,
        impl: Callable[..., object],
        interval: float = 0.1,
        *,
        init_sid: bool = True,
    ) -> None:
        self._impl = impl
        self._interval = interval
        self._own_session = init_sid
        self.future: Future[object] | None = None
        """The call that began last; has what `impl` returned."""

    def __call__(self, *args: Any, **kwargs: Any) -> Generator[str]:
        """Call it; raises what it raises."""
        # A context variable that a generator sets leaks into its caller at each yield.
        id = session.new_id() if self._own_session else session.current()
        return self._run(id, args, kwargs)

    async def astream(self, *args: Any, **kwargs: Any) -> AsyncGenerator[str]:
        """Do the same without blocking the event loop."""
        pieces = self(*args, **kwargs)
        try:
            while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
                yield piece
        finally:
            await asyncio.to_thread(pieces.close)

    def _run(
        self, id: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Generator[str]:
        def read() -> str:
            with session.use(id):
                return "".join(FileSystemQueue().dequeue())

        if not self._own_session:
            read()
        said = ""
        with ThreadPoolExecutor(1) as pool:
            with session.use(id):
                future = pool.submit(self._impl, *args, **kwargs)
            self.future = future
            ended = False
            while not ended:
                ended = bool(wait([future], self._interval).done)
                if piece := read():
                    said += piece
                    yield piece
        result = future.result()
        if isinstance(result, str) and not said.endswith(result):
            yield result
