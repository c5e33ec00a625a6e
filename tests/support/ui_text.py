"""Finds the words of the app in the code: every text that may reach the user.

What is a word of the app is decided by how a text looks and where it stands, and by the
lists of ui_text.toml: a text with spaces between words, or one that begins with a
capital, in a place where texts are shown. Keys of dicts, what is compared, annotations,
arguments of `logging` and `re`, names of bindings and the like are not.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from support import ROOT

LISTS = Path(__file__).with_suffix(".toml")
MARKS = {"_": 1, "N_": 1, "ngettext": 2}
"""The functions that mark texts, and how many of their arguments are marked."""

_CALLS = {
    *("Binding", "TypeVar", "cast", "encode", "execute", "fetch", "find", "get"),
    *("add_class", "remove_class", "set_class", "has_class", "query", "query_one"),
    *(
        "count",
        "endswith",
        "exists",
        "fullmatch",
        "getattr",
        "hasattr",
        "import_module",
    ),
    *("isinstance", "match", "partition", "pop", "removeprefix", "removesuffix"),
    *(
        "replace",
        "rpartition",
        "search",
        "setattr",
        "setdefault",
        "split",
        "startswith",
    ),
    *("strftime", "strip", "strptime", "sub", "version", "which", "getLogger"),
    *("debug", "info", "warning", "exception", "compile", "finditer", "findall"),
    *("TypeError", "RuntimeError", "AssertionError", "NotImplementedError", "NewType"),
    *("AttributeError", "ContextVar", "namedtuple", "field", "Meta", "option_string"),
    *("removeprefix", "send_header", "getenv", "exec", "pragma", "Thread"),
    *("_spell", "spell", "spell_key", "ToolError"),
}
"""Functions whose arguments are not shown."""
_KEYWORDS = {
    *("id", "classes", "name", "group", "metavar", "dest", "prog", "action", "variant"),
    *("encoding", "errors", "tag", "tag_field", "type", "key", "style"),
}
_ASSIGNED = {"__all__", "DEFAULT_CSS", "CSS", "LOOKS", "BINDINGS", "CSS_PATH"}
_NOT_WORDS = re.compile(
    r"\s*(SELECT|INSERT|UPDATE|DELETE FROM|CREATE|PRAGMA|BEGIN|FROM|WHERE|ORDER BY|AND"
    r"|ROLLBACK|RELEASE|SAVEPOINT|CAST)\b"
    r"|\s*(/\S*|--\S+|\{\}|[\W\d_])*\s*\Z"  # commands, flags, places and signs only
    r"|[\w.]+\[.*\]\Z|[\w.]+ \| .*"  # types
    r"|((bold|italic|underline|dim|on|not|strike|reverse|\$[\w-]+)\b *)+(\d+%)?\Z"
    r"|.*[{;]\n"  # CSS and programs
    r"|.*\(\?[:=!P]|.*\\[sbdwSW]",  # patterns
    re.DOTALL,
)
_WORDS = re.compile(
    r"(^|[\s({“\"'.,;:‘…])[A-Za-z][a-z']+\S*\s|\s[\"“'(]*[A-Za-z]{2,}|[A-Z][a-z]+\W*$"
)


@dataclass
class Text:
    """A text in the code that is for the user."""

    node: ast.expr
    words: str
    """The text; `{}` stands for each replaced part."""
    at_import: bool
    """Whether it is evaluated when the module is imported."""


@cache
def lists() -> dict[str, dict[str, list[str]]]:
    """Return the lists of ui_text.toml."""
    return tomllib.loads(LISTS.read_text("utf-8"))


def words_of(node: ast.expr) -> str | None:
    """Return the text of a literal, with `{}` for each replaced part, or None."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (v.value if isinstance(v, ast.Constant) else "{}" for v in node.values)
        return "".join(map(str, parts))
    return None


def texts(file: str, tree: ast.Module) -> Iterator[Text]:
    """Yield the texts of a module that are not marked; `file` is its path in ROOT."""
    known = lists()
    listed = {word for name in (file, "*") for word in known["shown"].get(name, [])}
    hidden = {word for name in (file, "*") for word in known["hidden"].get(name, [])}
    skipped = any(file.startswith(each) for each in known["skipped"]["files"])
    for node, at_import in _shown(tree, hidden, at_import=True):
        words = words_of(node)
        if words is None or words in hidden:
            continue
        looks = not skipped and not _NOT_WORDS.match(words) and _WORDS.search(words)
        if looks or words in listed:
            yield Text(node, words, at_import)


def unmarked(root: Path = ROOT) -> Iterator[str]:
    """Yield a line for each text of the app that is not marked for translation."""
    for path in sorted((root / "tui").rglob("*.py")):
        file = path.relative_to(root).as_posix()
        for text in texts(file, ast.parse(path.read_text("utf-8"))):
            yield f"{file}:{text.node.lineno}: {text.words!r}"


def _shown(
    node: ast.AST, hidden: set[str], *, at_import: bool
) -> Iterator[tuple[ast.expr, bool]]:
    """Yield the literals below `node` in places where texts are shown."""
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or _is_hidden(node, field, child, hidden):
                continue
            inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (
                field == "body"
            )
            inside |= isinstance(node, ast.Lambda) and field == "body"
            later = at_import and not inside
            if isinstance(child, ast.expr) and words_of(child) is not None:
                yield child, later
                if isinstance(child, ast.Constant):
                    continue
            yield from _shown(child, hidden, at_import=later)


def _is_hidden(parent: ast.AST, field: str, child: ast.AST, hidden: set[str]) -> bool:
    match parent:
        case ast.Expr(value=ast.Constant()):  # a docstring
            return True
        case ast.JoinedStr() if isinstance(child, ast.Constant):  # part of the text
            return True
        case ast.Dict():
            return field == "keys"
        case ast.Compare() | ast.MatchValue() | ast.Delete():
            return isinstance(
                child, ast.Constant | ast.Tuple | ast.List | ast.JoinedStr
            )
        case ast.Subscript():
            return field == "slice"
        case ast.arg() | ast.AnnAssign(target=ast.Name("__slots__")):
            return True
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return field in ("returns", "decorator_list") or parent.name in hidden
        case ast.ClassDef():
            return field in ("keywords", "bases") or parent.name in hidden
        case ast.Assign(targets=[ast.Name(name)]):
            return name in _ASSIGNED or name in hidden
        case ast.AnnAssign(target=ast.Name(name)):
            return field == "annotation" or name in _ASSIGNED or name in hidden
        case ast.AnnAssign():
            return field == "annotation"
        case ast.keyword(arg=str(name)):
            return name in _KEYWORDS
        case ast.Call(func=ast.Name(name) | ast.Attribute(attr=name)):
            if name == "add_argument" and field == "args":
                return True
            if name in MARKS and isinstance(parent.func, ast.Name):
                marked = parent.args[: MARKS[name]]
                return any(child is each for each in marked) and (
                    isinstance(child, ast.Constant)
                )
            is_log = name in ("error", "log") and ast.unparse(parent.func).startswith(
                ("_log.", "logger.", "logging.", "_logger.", "log.")
            )
            return field == "args" and (name in _CALLS or name in hidden or is_log)
        case _:
            return False
