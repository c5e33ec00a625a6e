"""Recognizes that a conversation is too long for its model.

Every server has its own words for this. Those that are certain are looked for first;
after them any sentence in which a prompt, an input or a context exceeds something,
unless it is about another limit: images, tools, or tokens per minute. A request that
alone exceeds the tokens per minute is an overflow that says nothing about the model.
"""

import re

_CERTAIN = re.compile(
    r"context_length_exceeded|exceed_context_size"  # OpenAI; llama.cpp
    r"|tokens_limit_reached|max_prompt_tokens_exceeded"  # GitHub Models; Copilot
    r"|maximum (context|prompt|input) length"  # OpenAI, vLLM, DeepSeek; xAI
    r"|exceeds? (the )?(available |model'?s? )?(maximum )?context"  # llama.cpp, Ollama
    r"|context (window|size|length) .{0,30}(exceed|limit|overflow)"  # MiniMax
    r"|longer than the (maximum )?(model|context) length"  # vLLM
    r"|(greater|larger) than the context"  # LM Studio
    r"|when context the overflows|context (the )?overflow"  # LM Studio
    r"|context shift is disabled"  # llama.cpp
    r"|range of input length"  # DashScope
    r"|exceeded model token limit"  # Kimi
    r"|exceed max message tokens"  # Doubao
    r"|prompt is too long|reduce the length of the (messages|input|prompt)"
    # TGI
    r"|inputs?\W{0,2} tokens? .{0,40}must be <=|inputs\W{0,2} must have less than"
    r"|too many (input )?tokens (in (the )?(prompt|input)|overall)"  # Mistral
    r"|上下文.{0,20}(超|限制)|(超|大于).{0,12}上下文"
    r"|(prompt|输入|tokens).{0,20}(超长|超过|超出|过长)",
    re.I,
)
_EXCEEDS = (
    r"(too (long|large|big)|exceed(s|ed|ing)?|(longer|greater|larger|more) than|"
    r"over(runs?|flow(s|ed)?))"
)
_LIKELY = re.compile(
    rf"\b(prompt|inputs?|context|conversation|chat history)\b.{{0,80}}\b{_EXCEEDS}\b"
    r"|\b(request|messages)\b.{0,40}\bexceed.{0,30}(context|token limit|max length"
    r"|maximum length)|\btoken limit exceeded\b",
    re.I,
)
_OTHER_LIMIT = re.compile(
    r"per[ -](second|minute|hour|day)|\b[tr]p[md]\b|rate.?limit|daily|monthly|quota"
    r"|images?\b|pictures?\b|audio|\bfiles?\b|\btools?\b|functions?\b|schema|\bbytes\b"
    r"|\b[kmg]i?b\b|batch size",
    re.I,
)
_CODE = re.compile(
    r"\"(code|type)\":\s*\"(context_length_exceeded|exceed_context_size\w*|"
    r"tokens_limit_reached|context_window_exceeded|max_prompt_tokens_exceeded)\"",
    re.I,
)
_RATE = re.compile(r"tokens? (per|a|/) ?(min|minute|hour|day)\b|\bTP[MHD]\b", re.I)
_ALONE = re.compile(r"limit:? (\d+)\D.{0,60}?requested:? (\d+)", re.I | re.S)
_CUT = "…"


def over_the_rate(message: str) -> tuple[int, int]:
    """Return a rate limit in tokens, and how many a request has that exceeds it alone.

    (0, 0) for any other refusal, such as one that waiting solves. Groq says
    so with status 413, OpenAI with 429.
    """
    found = _ALONE.search(message.replace(",", "")) if _RATE.search(message) else None
    if not found or max(map(len, found.groups())) > 9:
        return 0, 0
    limit, requested = int(found[1]), int(found[2])
    return (limit, requested) if 0 < limit < requested else (0, 0)


def is_overflow(message: str, body: str = "") -> bool:
    """Whether a server says that the conversation is too long for it.

    `message` are its words, as quoted; `body` is all of what it said, which is looked
    at for the code of an error, and for words beyond the quoted ones.
    """
    if _RATE.search(message):
        return False
    if _CERTAIN.search(message) or _CODE.search(body):
        return True
    if _LIKELY.search(message) and not _OTHER_LIMIT.search(message):
        return True
    return message.endswith(_CUT) and bool(_CERTAIN.search(body))
