"""A tool of a server as a `Tool`."""

import base64
import math
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextvars import copy_context
from typing import Any

from tui import bounds
from tui.config import McpServerConfig
from tui.errors import AttachmentError, Cancelled, ToolError
from tui.mcp.reading import ReadTool, Result
from tui.mcp.text import line
from tui.messages import Attachment
from tui.tools import Tool, report
from tui.tools.policy import Policy
from tui.tools.running import current

Report = Callable[[str], object]
"""Reports the progress of a call, from any thread. Raises `Cancelled` once the call
was abandoned."""

Begin = Callable[[str, Mapping[str, Any], Report], "Future[Result]"]
"""Begins a call of a server's tool with its arguments; any thread. Cancelling the
future tells the server to stop."""


class McpTool(Tool[..., Any]):
    """A tool that a server runs. Its parameters are passed unchanged, both ways."""

    def __init__(
        self,
        read: ReadTool,
        name: str,
        server: str,
        settings: McpServerConfig,
        begin: Begin,
        offers: Callable[[ReadTool], bool] = lambda read: True,
    ) -> None:
        """Offer `read` of `server` as `name`, by `begin`.

        `offers` says, in any thread, whether the server still has the tool like that.
        A call asks for permission unless the user trusts what the server says of it.
        """

        def call(**arguments: Any) -> Any:
            result = _wait(begin(read.name, arguments, _reporter()))
            return _with_pictures(read.name, result) if result.pictures else result.text

        call.__name__ = name
        trusted = settings.trust == "annotations" and read.read_only
        policy: Policy = "allow" if trusted else "ask"
        # The limit is kept by the connection, which knows when a call waits for the
        # user.
        super().__init__(
            call,
            name=name,
            description=read.description,
            timeout=math.inf,
            policy=policy,
            origin=server,
        )
        self.read = read
        self._settings = settings
        self._begin = begin
        self._offers = offers
        self.schema = read.schema(name)

    @property
    def is_offered(self) -> bool:
        """Whether the server has not withdrawn or changed it."""
        return self._offers(self.read)

    @property
    def hints(self) -> str:
        """What the server says of its effects, which may be wrong; "" if nothing."""
        return self.read.hints

    def bind(
        self, arguments: Mapping[str, Any], repairs: list[str] | None = None
    ) -> dict[str, Any]:
        """Return the arguments: only the server knows what they mean."""
        if bounds.is_deep(arguments):
            raise ToolError(f"in the arguments {bounds.TOO_DEEP}")
        return dict(arguments)

    def renamed(self, name: str) -> "McpTool":
        """Return the same tool with another name."""
        return McpTool(
            self.read, name, self.origin, self._settings, self._begin, self._offers
        )


def _with_pictures(tool: str, result: Result) -> Any:
    """Return a result's text and pictures; one that cannot be used is only named.

    Decodes and scales, in the thread of the call.
    """
    from tui.attachments import images, loading  # few servers return pictures

    texts = [result.text] if result.text else []
    files: list[Attachment] = []
    for number, picture in enumerate(result.pictures, 1):
        try:
            data = base64.b64decode(picture.data)
            if not (kind := images.kind_of(data)):
                texts.append(f"[{picture.name}: not of a kind that models see]")
                continue
            name = f"{line(tool, 60)}-{number}.{kind.partition('/')[2]}"
            files.append(loading.of_bytes(data, name))
        except (AttachmentError, ValueError) as error:
            texts.append(f"[{picture.name}: {line(error)}]")
    text = "\n".join(texts)
    if not files:
        return text
    return [text, *files] if text else files


def _reporter() -> Report:
    """Return `report` for the call of the current thread, for other threads."""
    context = copy_context()  # which holds the call
    return lambda text: context.run(report, text)


def _wait(future: "Future[Result]") -> Result:
    """Wait for a result; a cancel of the call cancels the request."""
    from concurrent.futures import CancelledError

    call = current()
    try:
        if call is None:
            return future.result()

        def cancel() -> None:
            future.cancel()

        with call.cancel.on(cancel):
            return future.result()
    except CancelledError:
        raise Cancelled from None
