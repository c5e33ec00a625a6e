"""What OpenAI-compatible servers want of a request, one row for each.

The API has no standard: each server refuses something that another one sends or wants.
Whatever can be written in a form that fits all of them is always written in that form
(ids, the order of messages, schemas). The rows name it as well, since the tests try
them and docs/servers.md lists them. A server whose rules are not known is an `OTHER`:
what it refuses is learned from its own words, see `refusals`.
"""

from types import MappingProxyType
from urllib.parse import urlsplit

import msgspec

RULES = MappingProxyType(
    {
        "ids of 9": "a call's id has exactly 9 letters and digits",
        "ids of 40": "a call's id has at most 40 characters",
        "plain ids": "a call's id has at most 64 letters, digits, `_` and `-`",
        "results": "every call is followed by its result, every result has a call",
        "no user after tool": "a user message must not follow a tool result directly",
        "alternation": "user and assistant messages alternate",
        "system first": "there is one system message, at the start",
        "user first": "the first message after the system message is the user's",
        "no empty answer": "an assistant message has text or a call",
        "no empty message": "only a message with calls may be empty",
        "no reasoning": "rejects `reasoning_content` and similar fields",
        "reasoning back": "rejects a call without its `reasoning_content`",
        "reasoning everywhere": "rejects an answer without `reasoning_content`",
        "only reasoning": "rejects reasoning under another name than `reasoning`",
        "parameters": "rejects a tool without `parameters`",
        "details back": "expects `reasoning_details` back with a call",
        "signatures back": "rejects a call without its signature in `extra_content`",
        "items": "rejects an array schema without `items`",
        "plain schemas": "rejects JSON Schema keywords such as `additionalProperties`",
        "tools with calls": "rejects calls in a request that offers no tools",
    }
)
"""Rules, as docs/servers.md words them. Each is enforced by the check of its name in
tests/support/fakes/strict_server.py."""


class Server(msgspec.Struct, frozen=True):
    """One kind of server."""

    title: str
    rules: tuple[str, ...]
    """Names in `RULES`."""
    sources: tuple[str, ...] = ()
    """Where that is said: addresses of documentation and public reports."""
    hosts: tuple[str, ...] = ()
    """The service's own; what ends in one of them is meant too."""

    def has(self, rule: str) -> bool:
        """Whether a rule holds here."""
        return rule in self.rules


OTHER = Server("any other server", ())

SERVERS = MappingProxyType(
    {
        "openai": Server(
            "OpenAI",
            ("ids of 40", "results", "items"),
            (
                "https://github.com/vercel/ai/issues/5171",
                "https://github.com/sigoden/aichat/issues/1049",
            ),
            ("openai.com", "openai.azure.com"),
        ),
        "mistral": Server(
            "Mistral",
            (
                "ids of 9",
                "results",
                "no user after tool",
                "no empty answer",
                "no reasoning",
            ),
            (
                "https://github.com/anomalyco/opencode/issues/1680",
                "https://github.com/mistralai/mistral-vibe/issues/578",
                "https://github.com/charmbracelet/crush/issues/1590",
            ),
            ("mistral.ai",),
        ),
        "kimi": Server(
            "Kimi (Moonshot)",
            ("results", "no empty answer", "reasoning back"),
            (
                "https://github.com/charmbracelet/crush/issues/2696",
                "https://github.com/MoonshotAI/kimi-cli/issues/2141",
            ),
            ("moonshot.cn", "moonshot.ai", "kimi.com"),
        ),
        "deepseek": Server(
            "DeepSeek",
            ("results", "reasoning back", "reasoning everywhere"),
            (
                "https://api-docs.deepseek.com/guides/thinking_mode",
                "https://github.com/MoonshotAI/kimi-cli/issues/2141",
            ),
            ("deepseek.com",),
        ),
        "gemini": Server(
            "Gemini (Google)",
            ("results", "user first", "signatures back", "items", "plain schemas"),
            (
                "https://ai.google.dev/gemini-api/docs/thought-signatures",
                "https://ai.google.dev/api/caching#Schema",
            ),
            ("googleapis.com",),
        ),
        "anthropic": Server(
            "Anthropic",
            (
                "plain ids",
                "results",
                "user first",
                "no empty message",
                "tools with calls",
            ),
            ("https://platform.claude.com/docs/en/api/openai-sdk",),
            ("anthropic.com",),
        ),
        "openrouter": Server(
            "OpenRouter",
            ("results", "details back"),
            (
                "https://openrouter.ai/docs/use-cases/reasoning-tokens"
                "#preserving-reasoning-blocks",
            ),
            ("openrouter.ai",),
        ),
        "groq": Server(
            "Groq",
            ("results", "no reasoning"),
            ("https://github.com/janhq/jan/issues/8136",),
            ("groq.com",),
        ),
        "cerebras": Server(
            "Cerebras",
            ("results", "only reasoning"),
            (
                "https://github.com/vercel/ai/issues/15042",
                "https://github.com/QwenLM/qwen-code/issues/11045",
            ),
            ("cerebras.ai",),
        ),
        "minimax": Server(
            "MiniMax",
            ("results", "parameters"),
            (
                "https://github.com/MiniMax-AI/MiniMax-M2/issues/76",
                "https://github.com/QwenLM/qwen-code/issues/11834",
            ),
            ("minimaxi.com", "minimax.io", "minimax.chat"),
        ),
        "llama.cpp": Server(
            "llama.cpp",
            (
                "results",
                "no user after tool",
                "alternation",
                "system first",
                "user first",
            ),
            ("https://github.com/ggml-org/llama.cpp/issues/20733",),
        ),
        "vllm": Server(
            "vLLM",
            (
                "ids of 9",
                "results",
                "no user after tool",
                "alternation",
                "system first",
                "user first",
            ),
            (
                "https://github.com/vllm-project/vllm/issues/41114",
                "https://github.com/NousResearch/hermes-agent/issues/20154",
            ),
        ),
    }
)
"""Servers by the name of their supplier, if they have one. llama.cpp and vLLM want what
the model's chat template wants: the strictest are meant."""


def server_of(base_url: str, supplier: str = "") -> Server:
    """Return the row for an address, or for what the user calls the server there."""
    host = (urlsplit(base_url).hostname or "").lower()
    for server in SERVERS.values():
        if any(host == name or host.endswith(f".{name}") for name in server.hosts):
            return server
    return SERVERS.get(supplier, OTHER)
