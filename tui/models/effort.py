"""Which models can be told how hard to think.

Servers refuse what a model does not take, in which case the request is sent again
without it. So only what is certain is said here: a model that is not known may take it.
"""

import re

_NONE = (
    r"gpt-(3\.5|4)(?!\.?5)|gpt-4o|chatgpt-4o|gpt-5(\.\d)?-chat|davinci|babbage"
    r"|claude-(2|3-(opus|sonnet|haiku|5))|gemini-1|gemini-2\.0"
    r"|(^|[/:_-])(llama|gemma|phi)-?[1-3]\b|mi[sx]tral-(7b|8x|tiny|medium-2312)"
    r"|deepseek-chat|(^|[/:_-])qwen-?2(\.5)?\b|starter|smollm"
)
"""Names of models that do not reason."""


def takes_none(model: str) -> bool:
    """Return whether a model is known by its name not to reason."""
    return bool(re.search(_NONE, model, re.IGNORECASE))
