"""Addresses and key variables of known OpenAI-compatible services.

Presets only: everything here can be set in the config, and any other server works
with its `base_url`. A default model is named where the service keeps one name for
its current general model; elsewhere names change too often to be right for long.
What a row says is what the service's own documentation says, read in November 2026
where a comment names the page.
"""

import ipaddress
import os
import re
from types import MappingProxyType

import msgspec


class Supplier(msgspec.Struct, frozen=True):
    """One service."""

    title: str
    base_url: str
    key_env: str = ""
    """The environment variable of the API key; empty for servers that want none."""
    model: str = ""
    """What to ask when no model is named; empty means that one must be."""
    key_for_more: bool = False
    """Whether the key opens more than the models, and is set on machines whose user
    never meant to ask one: `OnlineChatModule` does not choose such a service itself."""


SUPPLIERS = MappingProxyType(
    {
        "openai": Supplier(
            "OpenAI", "https://api.openai.com/v1", "OPENAI_API_KEY", "gpt-4.1-mini"
        ),
        "deepseek": Supplier(
            "DeepSeek",
            "https://api.deepseek.com/v1",
            "DEEPSEEK_API_KEY",
            "deepseek-chat",
        ),
        "qwen": Supplier(
            "Qwen (Model Studio)",
            "https://dashscope.aliyuncs.com/compatible-mode/v1",
            "DASHSCOPE_API_KEY",
            "qwen-plus",
        ),
        "glm": Supplier(
            "GLM (Zhipu)", "https://open.bigmodel.cn/api/paas/v4", "ZHIPUAI_API_KEY"
        ),
        "kimi": Supplier(
            "Kimi (Moonshot)", "https://api.moonshot.cn/v1", "MOONSHOT_API_KEY"
        ),
        "doubao": Supplier(
            "Doubao (Volcengine Ark)",
            "https://ark.cn-beijing.volces.com/api/v3",
            "ARK_API_KEY",
        ),
        "minimax": Supplier(
            "MiniMax", "https://api.minimaxi.com/v1", "MINIMAX_API_KEY"
        ),
        "sensenova": Supplier(
            "SenseNova",
            "https://api.sensenova.cn/compatible-mode/v1",
            "SENSENOVA_API_KEY",
        ),
        "siliconflow": Supplier(
            "SiliconFlow", "https://api.siliconflow.cn/v1", "SILICONFLOW_API_KEY"
        ),
        "ppio": Supplier("PPIO", "https://api.ppinfra.com/v3/openai", "PPIO_API_KEY"),
        "aiping": Supplier("AI Ping", "https://aiping.cn/api/v1", "AIPING_API_KEY"),
        "openrouter": Supplier(
            "OpenRouter",
            "https://openrouter.ai/api/v1",
            "OPENROUTER_API_KEY",
            "openrouter/auto",
        ),
        # platform.claude.com/docs: OpenAI SDK compatibility
        "anthropic": Supplier(
            "Anthropic", "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY"
        ),
        # ai.google.dev/gemini-api/docs/openai
        "gemini": Supplier(
            "Gemini (Google)",
            "https://generativelanguage.googleapis.com/v1beta/openai",
            "GEMINI_API_KEY",
        ),
        # console.groq.com/docs/openai
        "groq": Supplier("Groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY"),
        # docs.mistral.ai/api
        "mistral": Supplier("Mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
        # docs.x.ai: API reference
        "xai": Supplier("xAI", "https://api.x.ai/v1", "XAI_API_KEY"),
        # docs.together.ai/docs/inference/openai-compatibility
        "together": Supplier(
            "Together AI", "https://api.together.ai/v1", "TOGETHER_API_KEY"
        ),
        # docs.fireworks.ai: OpenAI compatibility
        "fireworks": Supplier(
            "Fireworks AI", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY"
        ),
        # inference-docs.cerebras.ai: OpenAI compatibility
        "cerebras": Supplier(
            "Cerebras", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"
        ),
        # docs.github.com/en/github-models/quickstart
        "github": Supplier(
            "GitHub Models",
            "https://models.github.ai/inference",
            "GITHUB_TOKEN",
            key_for_more=True,
        ),
        # docs.api.nvidia.com: NIM, LLM APIs
        "nvidia": Supplier(
            "NVIDIA", "https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY"
        ),
        # huggingface.co/docs/inference-providers
        "huggingface": Supplier(
            "Hugging Face",
            "https://router.huggingface.co/v1",
            "HF_TOKEN",
            key_for_more=True,
        ),
        "ollama": Supplier("Ollama", "http://localhost:11434/v1"),
        "llama.cpp": Supplier("llama.cpp", "http://localhost:8080/v1"),
        "vllm": Supplier("vLLM", "http://localhost:8000/v1"),
        "lmstudio": Supplier("LM Studio", "http://localhost:1234/v1"),
    }
)
"""Services by the name that the config and `OnlineChatModule` know them by."""


def address(supplier: str) -> str:
    """Return the base URL of a supplier; "" for an unknown name.

    OPENAI_BASE_URL and OLLAMA_HOST, which other programs obey too, come before what
    `SUPPLIERS` says.
    """
    known = SUPPLIERS.get(supplier)
    if supplier == "openai" and (url := os.environ.get("OPENAI_BASE_URL")):
        return url
    if supplier == "ollama" and (host := os.environ.get("OLLAMA_HOST", "").strip()):
        return _ollama(host)
    return known.base_url if known else ""


_OLLAMA_PORTS = {"": "11434", "http": "80", "https": "443"}
"""The port that OLLAMA_HOST means by its scheme: see envconfig in Ollama's source."""


def _ollama(text: str) -> str:
    """Return where an OLLAMA_HOST is reached, which is also the address to listen on.

    Read as Ollama itself does: scheme, port and path may be missing.
    """
    text = text.strip("\"' ")
    scheme, __, rest = text.rpartition("://")
    place, __, path = rest.partition("/")
    user, at, place = place.rpartition("@")
    found = re.fullmatch(r"\[(.*)\](?::(.*))?|([^:]*)(?::([^:]*))?", place)
    # What has more colons, and no brackets, is an IPv6 address without a port.
    host = (found[1] or found[3] or "127.0.0.1") if found else place
    port = (found[2] or found[4] or "") if found else ""
    if not (re.fullmatch("[0-9]{1,5}", port) and 0 < int(port) < 1 << 16):
        port = _OLLAMA_PORTS.get(scheme.lower(), "11434")
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        if ip.is_unspecified:
            host = "127.0.0.1" if ip.version == 4 else "::1"
    host = f"[{host}]" if ":" in host else host
    path = path.rstrip("/").removesuffix("v1").rstrip("/")
    url = f"{scheme or 'http'}://{user}{at}{host}:{port}"
    return f"{url}/{path}/v1" if path else f"{url}/v1"
