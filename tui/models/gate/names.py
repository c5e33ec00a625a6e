"""Finds the offered tool that a model, or a server's parser, means by a name."""

import re
from collections.abc import Collection

_BEHIND = re.compile(r"\s*<[|｜].*|\(\s*\)\Z|:\d+\Z", re.DOTALL)
"""What may stand behind a name: a token of gpt-oss, `()`, the number of Kimi's id."""
_AROUND = " \t\r\n\"'`"
_BEFORE = re.compile(r"(?:functions?|tools?|default_api|multi_tool_use)[.:]")
"""Namespaces in which prompts list the tools."""


def meant(name: str, tools: Collection[str]) -> str:
    """Return the tool whose name `name` is, but for what was left around it.

    `name` itself if that is no tool's.
    """
    if not tools or name in tools:
        return name
    bare = _BEHIND.sub("", name.strip(_AROUND)).strip(_AROUND)
    for each in (bare, _BEFORE.sub("", bare, count=1)):
        if each in tools:
            return each
    return name
