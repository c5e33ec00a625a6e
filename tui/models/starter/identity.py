"""The starter's answers about itself.

Which model it is, the program knows and the model does not: asked, it makes up a name
and a maker. So this one answer is the program's.
"""

from collections.abc import Sequence

from tui.messages import ToolSchema
from tui.models.starter.intent import speaks_of
from tui.models.starter.words import has_han

_LONGEST = 120
"""Characters of a question about the assistant; a longer text says more than that."""

ENGLISH = (
    "I am lazychat's small starter model, SmolLM2 with 135 million parameters, for "
    "trying things out. I can chat a little in English and call tools; I know little "
    "and make many mistakes. Set a real model in lazychat's config for serious work."
)
CHINESE = (
    "我是 lazychat 自带的小型入门模型（SmolLM2，1.35 亿参数），供试用。"
    "我能用英语简单聊天，也能调用工具，但知道得很少，常常出错。"
    "要认真使用，请在 lazychat 的配置里设置一个真正的模型。"
)


def asks_who(text: str) -> bool:
    """Whether `text` asks what the assistant is or what it can do."""
    return len(text) < _LONGEST and speaks_of("itself", text)


def introduction(text: str, tools: Sequence[ToolSchema]) -> str:
    """Return what the starter is, in the language of `text`, and its tools."""
    names = ", ".join(tool.name for tool in tools)
    if has_han(text):
        return CHINESE + (f"可用的工具：{names}。" if names else "")
    return ENGLISH + (f" My tools now: {names}." if names else "")
