"""Updates the catalogues of translations from the code; `make messages` runs it.

python tests/catalogue.py [--check]

Adds new messages to each `tui/locale/*/LC_MESSAGES/lazychat.po`, with the translation
of a similar one marked `fuzzy` if there is one, removes those that the code no longer
has, compiles the `.mo` files, and lists what is left to translate. With `--check` it
changes nothing, and exits with 1 if anything is left to do.

Only the parts of the PO format that the catalogues use are read: comments, flags,
msgid, msgid_plural and msgstr.
"""

import ast
import difflib
import re
import struct
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CATALOGUES = sorted((ROOT / "tui" / "locale").glob("*/LC_MESSAGES/*.po"))
FUNCTIONS = {"_": 1, "N_": 1, "ngettext": 2}
"""The functions whose first arguments are messages, and how many of them are."""


@dataclass
class Entry:
    """A message and its translation."""

    id: str
    plural: str = ""
    texts: list[str] = field(default_factory=lambda: [""])
    """The translation; for a plural, that of each of the language's forms."""
    files: list[str] = field(default_factory=list[str])
    fuzzy: bool = False
    notes: list[str] = field(default_factory=list[str])

    @property
    def done(self) -> bool:
        """Whether it is translated."""
        return all(self.texts) and not self.fuzzy


def messages(root: Path = ROOT) -> dict[str, Entry]:
    """Return every message in the code, in the order of the files."""
    found: dict[str, Entry] = {}
    for file in sorted((root / "tui").rglob("*.py")):
        for words in _calls(ast.parse(file.read_text("utf-8"))):
            entry = found.setdefault(words[0], Entry(words[0]))
            entry.plural = entry.plural or "".join(words[1:])
            name = file.relative_to(root).as_posix()
            if name not in entry.files:
                entry.files.append(name)
    for text in _tools():
        found.setdefault(text, Entry(text, files=["tui/tools/bundled"]))
    return found


def _tools() -> Iterator[str]:
    """Yield what the bundled tools say of themselves: the sidebar translates it."""
    from tui.tools import builtin

    for tool in builtin().values():
        yield tool.summary
        yield tool.schema.description
        for parameter in tool.schema.parameters.get("properties", {}).values():
            yield parameter["description"]


def _calls(tree: ast.Module) -> Iterator[list[str]]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        if not isinstance(call.func, ast.Name) or call.func.id not in FUNCTIONS:
            continue
        words = call.args[: FUNCTIONS[call.func.id]]
        texts = [
            each.value
            for each in words
            if isinstance(each, ast.Constant) and isinstance(each.value, str)
        ]
        if len(texts) == len(words):  # else a table's entry is translated
            yield texts


def read(text: str) -> list[Entry]:
    """Return the entries of a PO file; the first is its head."""
    entries: list[Entry] = []
    for block in re.split(r"\n[ \t]*\n", text.strip()):
        entry, values, at = Entry(""), dict[str, str](), ""
        for line in block.splitlines():
            if line.startswith("#:"):
                entry.files += line[2:].split()
            elif line.startswith("#,"):
                entry.fuzzy = "fuzzy" in line
            elif line.startswith("#"):
                entry.notes.append(line)
            elif line.startswith('"'):
                values[at] += ast.literal_eval(line)
            else:
                at, _, value = line.partition(" ")
                values[at] = ast.literal_eval(value)
        entry.id, entry.plural = values["msgid"], values.get("msgid_plural", "")
        entry.texts = [v for k, v in values.items() if k.startswith("msgstr")]
        entries.append(entry)
    return entries


def write(entries: Iterable[Entry]) -> str:
    """Return the text of a PO file."""
    return "\n".join("\n".join([*_lines(entry), ""]) for entry in entries)


def _lines(entry: Entry) -> Iterator[str]:
    yield from entry.notes
    if entry.files:
        yield f"#: {' '.join(entry.files)}"
    if entry.fuzzy:
        yield "#, fuzzy"
    yield f"msgid {_quoted(entry.id)}"
    if entry.plural:
        yield f"msgid_plural {_quoted(entry.plural)}"
        for number, text in enumerate(entry.texts):
            yield f"msgstr[{number}] {_quoted(text)}"
    else:
        yield f"msgstr {_quoted(entry.texts[0])}"


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_ESCAPES |= {
    chr(code): f"\\x{code:02x}" for code in range(32) if code not in (9, 10, 13)
}


def _quoted(text: str) -> str:
    lines = text.splitlines(keepends=True) if "\n" in text[:-1] else [text]
    quoted = ['"' + "".join(_ESCAPES.get(c, c) for c in line) + '"' for line in lines]
    return "\n".join(['""', *quoted] if len(quoted) > 1 else quoted)


def compiled(entries: Iterable[Entry]) -> bytes:
    """Return the MO file of the translated entries, always the same bytes.

    The format is that of the GNU gettext manual, "The Format of GNU MO Files", without
    its hash table, which Python does not read.
    """
    pairs = sorted(
        (
            "\0".join(filter(None, (e.id, e.plural))).encode(),
            "\0".join(e.texts).encode(),
        )
        for e in entries
        if e.done
    )
    start = 28 + 16 * len(pairs)
    ids = b"".join(id + b"\0" for id, _ in pairs)
    texts = b"".join(text + b"\0" for _, text in pairs)
    table: list[int] = []
    for column, offset in ((0, start), (1, start + len(ids))):
        for pair in pairs:
            table += [len(pair[column]), offset]
            offset += len(pair[column]) + 1
    second = 28 + 8 * len(pairs)
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, second, 0, start)
    return head + struct.pack(f"<{len(table)}I", *table) + ids + texts


def updated(old: list[Entry], found: dict[str, Entry]) -> list[Entry]:
    """Return the entries of a catalogue as the code has them now."""
    head, known = old[0], {entry.id: entry for entry in old[1:]}
    forms = int((re.search(r"nplurals=(\d+)", head.texts[0]) or [0, 2])[1])
    gone = [id for id in known if id not in found]
    new: list[Entry] = []
    for entry in found.values():
        texts, fuzzy, notes = [""], False, list[str]()
        if same := known.get(entry.id):
            texts, fuzzy, notes = same.texts, same.fuzzy, same.notes
        elif near := difflib.get_close_matches(entry.id, gone, 1, 0.8):
            texts, fuzzy = known[near[0]].texts, any(known[near[0]].texts)
        wanted = forms if entry.plural else 1
        texts = (texts + [texts[-1]] * wanted)[:wanted]
        new.append(Entry(entry.id, entry.plural, texts, entry.files, fuzzy, notes))
    return [head, *new]


def main(arguments: list[str]) -> int:
    """Update the catalogues, or check them; return the exit code."""
    check, found, left = "--check" in arguments, messages(), 0
    for file in CATALOGUES:
        binary, name = file.with_suffix(".mo"), file.relative_to(ROOT)
        text = file.read_text("utf-8")
        entries = updated(read(text), found)
        todo = [entry for entry in entries[1:] if not entry.done]
        for entry in todo:
            state = "fuzzy" if entry.fuzzy else "untranslated"
            print(f"{name}: {state}: {entry.id!r} ({entry.files[0]})")
        stale = text != write(entries) or (
            not binary.exists() or binary.read_bytes() != compiled(entries)
        )
        if stale and check:
            print(f"{name}: not as the code has it; run `make messages`")
        elif stale:
            file.write_text(write(entries), "utf-8")
            binary.write_bytes(compiled(entries))
        print(f"{name}: {len(entries) - 1} messages, {len(todo)} to translate")
        left += len(todo) + (stale and check)
    return 1 if check and left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
