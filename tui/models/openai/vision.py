"""Says whether a server's model takes pictures, as far as that is known.

By its name, and by what the server's list of models says. Both are often silent; then a
picture is sent, and a refusal is understood: see `refusals`.
"""

import re
from typing import Any, cast

_SEES = re.compile(
    r"gpt-4o|gpt-4\.[15]|gpt-4-turbo|gpt-5|gpt-6|chatgpt-4o|\bo1(-20|$)|\bo3(-20|$|-pro)"
    r"|\bo4|claude|gemini|gemma-?3(?!n?[:-]?(1b|270m))|gemma-?4|llava|bakllava|vision"
    r"|(^|[/_.-])vl\d*([/_.:-]|$)|qwen[\d.]*-?vl|qvq|omni|pixtral|mistral-small-?3\.[1-9]"
    r"|mistral-(small|medium|large)-latest|ministral-?3|magistral-(small|medium)-latest"
    r"|llama-?4|internvl|minicpm-?(v|o)|moondream|smolvlm|granite.*vision|phi-?[345].*vision"
    r"|phi-?4-multimodal|glm-?4(\.\d)?v|grok-(4|[\d.]+-?vision)|nova-(lite|pro|premier)"
    r"|kimi-(vl|k2\.5)|step-?\d*v|ernie.*vl|idefics|cogvlm|fuyu|deepseek-vl|multimodal",
    re.I,
)
_BLIND = re.compile(
    r"gpt-3\.5|gpt-4(-\d{4})?$|gpt-oss|\bo1-mini|\bo3-mini|deepseek-(chat|reasoner|coder"
    r"|r1|v[23])|qwen[\d.]*-?(coder|math|max)|qwen(2|2\.5|3)[:-]\d|qwq|codestral|mixtral"
    r"|mistral-(7b|nemo)|devstral-(small-2505|small-2507)|llama-?(2|3\.1|3\.3)\b|llama3[:.-]?"
    r"(8b|70b|1|3)|codellama|kimi-k2(?!\.5)|glm-?4(\.\d)?(-|$)(?!v)|smollm|tinyllama"
    r"|phi-?(2|3-mini|4-mini|4$)|starcoder|command-r|gemma-?2|gemma-?3n?[:-]?(1b|270m)"
    r"|nova-micro|embed",
    re.I,
)
"""What is in both lists is in the first."""


def by_name(model: str) -> bool | None:
    """Return whether a model of that name takes pictures; None if it says nothing."""
    if _SEES.search(model):
        return True
    return False if _BLIND.search(model) else None


def told(models: Any, model: str) -> bool | None:
    """Return what a server's list of models says of a model; None for nothing."""
    rows = _fields(models).get("data")
    if not isinstance(rows, list):
        return None
    entries = [_fields(row) for row in cast(list[Any], rows)]
    named = [e for e in entries if model in (e.get("id"), e.get("name"))]
    entry = named[0] if named else entries[0] if len(entries) == 1 else {}
    architecture = _fields(entry.get("architecture"))
    for kinds in (
        architecture.get("input_modalities"),  # OpenRouter, vLLM
        entry.get("input_modalities"),
        entry.get("modalities"),
    ):
        if isinstance(kinds, list) and kinds:
            return "image" in kinds
    capabilities = entry.get("capabilities")
    if isinstance(capabilities, list):  # Ollama, LM Studio, llama.cpp
        known = {"vision", "multimodal", "image"}
        return True if known & set(map(str, cast(list[Any], capabilities))) else None
    vision = _fields(capabilities).get("vision")  # Mistral
    if not isinstance(vision, bool):
        vision = told_by_llama(entry)
    if vision is not None:
        return vision
    return True if entry.get("type") == "vlm" else None  # LM Studio


def told_by_llama(properties: Any) -> bool | None:
    """Return what llama.cpp's `/props` says of its model, or an entry of that form."""
    vision = _fields(_fields(properties).get("modalities")).get("vision")
    return vision if isinstance(vision, bool) else None


def _fields(value: Any) -> dict[str, Any]:
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}
