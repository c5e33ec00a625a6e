"""Names the tools of a server so that models, policies and users can tell them apart.

The name is always `SERVER__TOOL`. So two servers with a tool of the same name do not
collide, a name does not change when another server connects, and a permission that was
given to the tool of one server never passes to that of another.
"""

import re
from collections import Counter
from zlib import crc32

_LONGEST = 64
"""Most characters that servers of models accept."""
_LONGEST_SERVER = 30
"""Most characters of them for the server."""


def tool_names(server: str, names: list[str]) -> dict[str, str]:
    """Return the name for models of each of a server's tools, all different.

    Signs that models' servers refuse become `_`; what is then too long, or the same as
    another, ends in a digest of the original name. A name does not depend on the order
    of the tools, which a server may change: a permission is for a name.
    """
    plain = Counter(_plain(name) for name in names)
    given: dict[str, str] = {}
    for name in names:
        new = server_prefix(server) + _plain(name)
        is_taken = plain[_plain(name)] > 1 and name != _plain(name)
        if len(new) > _LONGEST or is_taken:
            end = f"_{_digest(f'{server} {name}')}"
            new = new[: _LONGEST - len(end)] + end
        given[name] = new
    return given


def server_prefix(server: str) -> str:
    """Return how the names of all tools of a server begin.

    A name that must be changed or cut ends in a digest, so that no other server has the
    same beginning. It has no `__` of its own and does not end in `_`: else the tool
    `b__c` of the server `a` would be called like the tool `c` of the server `a__b`.
    """
    plain = re.sub("__+", "_", _plain(server)).rstrip("_")
    if plain != server or len(plain) > _LONGEST_SERVER:
        plain = f"{plain[: _LONGEST_SERVER - 9]}_{_digest(server)}"
    return f"{plain}__"


def _digest(text: str) -> str:
    return f"{crc32(text.encode(errors='replace')):08x}"


def _plain(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name) or "_"
