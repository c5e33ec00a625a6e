"""Finds the files that a text names: `@path` in a message, a pasted path.

The composer asks for what is quick, so what reads the disk is imported when needed,
and the long patterns are compiled (5 ms) with the first `@`; `re` keeps them.
"""

import re
from collections.abc import Iterator
from pathlib import Path

_CJK = "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
"""Letters of languages that are written without spaces, for a set of a pattern."""
_BEFORE = rf"(?<![^\W{_CJK}])(?<![@/.])"
"""An `@` after a letter is part of an address; after a Chinese one, it is not."""
_MENTION = (
    _BEFORE
    + r"""@(?:"(?P<quoted>[^"\n]+)"(?P<lines>:\d+(?:-\d*)?)?"""
    + r"""|(?P<plain>(?:\\.|[^\s"\\])+))"""
)
_BEGUN = _BEFORE + r"""@("[^"\n]*|(?:\\.|[^\s"\\])*)$"""
_PUNCTUATION = ".,;:!?)]}>'"
_WIDE_PUNCTUATION = "\u3000-\u3004\u3008-\u303f\uff01-\uff65“”‘’…—·"
_ENDS = rf"[{_WIDE_PUNCTUATION}]|(?<=[^\W{_CJK}])[{_CJK}]"
"""Where a name may end in a text without spaces, which goes on with this."""
_QUOTED = re.compile(r"""(["'])(.+)\1(:\d+(?:-\d*)?)?""")
_ADDRESS = re.compile(r"file:(?://[^/\s]*)?(?=/)", re.IGNORECASE)
LONGEST = 4096
"""Most characters of a path."""
_MOST_ENDS = 20
"""Most ends of a name that are tried."""


def begun(text: str) -> str | None:
    """Return the word after the `@` at the end of `text`; None if there is none.

    `text` is a line up to the cursor. A quotation mark at its beginning is left out.
    """
    found = _begun(text)
    return None if found is None else _unescaped(found[1].removeprefix('"'))


def _begun(text: str) -> re.Match[str] | None:
    line = text[-LONGEST:]
    return re.search(_BEGUN, line) if "@" in line else None


def begun_length(text: str) -> int:
    """Return how many characters that word has in `text`, with its `@`."""
    found = _begun(text)
    return 0 if found is None else len(found[0])


def spelled(path: str) -> str:
    """Return a path as it is written in a message, with its `@`.

    A folder in quotation marks stays open, to be continued.
    """
    if re.fullmatch(r"[^\s\"\\]+", path):
        return f"@{path}"
    return f'@"{path}' if path.endswith("/") else f'@"{path}"'


def is_far(spec: str) -> bool:
    """Return whether a file is hidden, or outside of the current folder."""
    parts = spec.split("/")
    return spec.startswith(("/", "~")) or any(
        part.startswith(".") and (part != "." or number > 0)
        for number, part in enumerate(parts)
    )


def is_in(path: str, text: str) -> bool:
    """Return whether `text` still has a path that it has mentioned, however written."""
    return path in text or re.sub(r"([\s\"\\])", r"\\\1", path) in text


def may_mention(text: str) -> bool:
    """Return whether `files_in` could find anything; quick."""
    return "@" in text and re.search(_MENTION, text) is not None


def files_in(text: str, folder: Path) -> list[str]:
    """Return the files that `text` mentions, in its order, each once.

    Only what names an existing file counts: @anna is a person, and the full stop at the
    end of a sentence belongs to no name. Blocks on the disk.
    """
    from tui.attachments.loading import MOST, is_file

    found: dict[str, None] = {}
    at = 0
    pattern = re.compile(_MENTION)
    while len(found) < MOST and (mention := pattern.search(text, at)):
        # Without spaces, what follows the name may have further ones.
        at = mention.start() + 1
        for number, spec in enumerate(_readings(mention)):
            if is_file(spec, folder):
                found[spec] = None
                if not number:
                    at = mention.end()
                break
    return list(found)


def _readings(mention: re.Match[str]) -> Iterator[str]:
    if mention["quoted"]:
        yield mention["quoted"] + (mention["lines"] or "")
        return
    word = _unescaped(mention["plain"])[:LONGEST]
    yield from _without_punctuation(word)
    ends = [found.start() for found in re.finditer(_ENDS, word)][:_MOST_ENDS]
    for end in reversed(ends):
        yield from _without_punctuation(word[:end])


def _without_punctuation(word: str) -> Iterator[str]:
    while word:
        yield word
        if word[-1] not in _PUNCTUATION:
            return
        word = word[:-1]


def _unescaped(word: str) -> str:
    return re.sub(r"\\(.)", r"\1", word)


def argument(text: str) -> str:
    """Return the file that is typed in quotation marks, with escapes, or as an address.

    Any other text is the file itself.
    """
    if found := _QUOTED.fullmatch(text):
        return found[2] + (found[3] or "")
    return _unescaped(_of_address(text))


def is_like_paths(text: str) -> bool:
    """Return whether a pasted text may be nothing but paths; quick."""
    text = text.strip()
    if not text or len(text) > LONGEST:
        return False
    first = text.lstrip("'\"")
    # Not a single word: one that happens to be the name of a file is meant as a word.
    return first.startswith(("/", "~/", "./", "../", "file:/", "FILE:/")) or (
        "/" in text and "\n" not in text and "://" not in text
    )


def pasted(text: str, folder: Path) -> list[str]:
    """Return the files of which a pasted text is the paths, [] if it is anything else.

    Terminals paste the paths of files that are dropped on them: as they are, in
    quotation marks, with backslashes, or as addresses, several with spaces between
    them. Blocks on the disk.
    """
    if not is_like_paths(text):
        return []
    from tui.attachments.loading import MOST, is_file

    text = text.strip()
    for paths in _spellings(text):
        if paths and len(paths) <= MOST and all(is_file(it, folder) for it in paths):
            return paths
    return []


def _spellings(text: str) -> Iterator[list[str]]:
    if "\n" not in text:
        yield [text]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    yield [_of_address(line) for line in lines]
    import shlex

    try:
        words = shlex.split(text)
    except ValueError:  # a quotation mark without its partner
        return
    yield [_of_address(word) for word in words]


def _of_address(text: str) -> str:
    """Return the path of `file:///path`, `file://host/path` or `file:/path`.

    Not by `urlsplit`: some terminals leave a `#` or a `?` of the name as it is.
    """
    found = _ADDRESS.match(text)
    if found is None:
        return text
    from urllib.parse import unquote

    return unquote(text[found.end() :])
