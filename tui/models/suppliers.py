"""Addresses and key variables of known OpenAI-compatible services.

Presets only: everything here can be set in the config, and any other server works
with its `base_url`. A default model is named where the service keeps one name for
its current general model; elsewhere names change too often to be right for long.
"""

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
        "mistral": Supplier("Mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
        "gemini": Supplier(
            "Gemini (Google)",
            "https://generativelanguage.googleapis.com/v1beta/openai",
            "GEMINI_API_KEY",
        ),
        "anthropic": Supplier(
            "Anthropic", "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY"
        ),
        "groq": Supplier("Groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY"),
        "openrouter": Supplier(
            "OpenRouter",
            "https://openrouter.ai/api/v1",
            "OPENROUTER_API_KEY",
            "openrouter/auto",
        ),
        "ollama": Supplier("Ollama", "http://localhost:11434/v1"),
        "llama.cpp": Supplier("llama.cpp", "http://localhost:8080/v1"),
        "vllm": Supplier("vLLM", "http://localhost:8000/v1"),
        "lmstudio": Supplier("LM Studio", "http://localhost:1234/v1"),
    }
)
"""Services by the name that the config and `OnlineChatModule` know them by."""
