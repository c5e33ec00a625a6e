"""Any OpenAI-compatible server, through the `openai` library.

The library makes the request: addresses, keys, retries, proxies. What comes back
is read here (`stream`, `chunks`, `calls`), because servers differ most there and
because it is read once a token. `link` can be broken off from any thread.
"""

from tui.models.openai.model import OpenAIModel, preload

__all__ = ["OpenAIModel", "preload"]
