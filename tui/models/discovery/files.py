"""Finds GGUF files in the folders where programs keep them.

The scan is bounded in depth, entries, files and time, as a home folder may be on a slow
network; links to folders are not followed.
"""

import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import msgspec

from tui import files, paths
from tui.i18n import _

SECONDS = 2.0
"""How long the scan may take."""
_DEEPEST = 6
_SHALLOW = {"~/Downloads": 1}
"""The same for folders that are full of other things, by their names."""
_ENTRIES = 20_000
_FILES = 200
_HEAD = 1 << 16
"""Bytes at the start of a file in which its context length is looked for."""

_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$", re.I)
_NO_MODEL = re.compile(r"(^|[-_.])(mmproj|imatrix|clip)|-lora|ggml-vocab", re.I)
"""Parts of models that cannot answer alone."""
_CONTEXT = re.compile(rb"\.context_length\x04\0\0\0(....)", re.DOTALL)
"""A key of GGUF's metadata, its type (4 is uint32), and its value."""


class GGUFFile(msgspec.Struct, frozen=True):
    """A model in a file, or in several of which this is the first."""

    path: str
    name: str
    """What to call it: the file's name, or Ollama's name for it."""
    place: str
    """Where it was found: "Hugging Face cache", "LM Studio" ..."""
    size: int
    """Bytes, all parts together."""
    changed: float
    """Seconds since the epoch."""
    context: int = 0
    """Tokens that the model was trained for; 0 if the file does not say."""


def folders() -> list[tuple[str, Path]]:
    """Return the name and the path of each folder to scan; most do not exist."""
    home = Path.home()
    cache = _given("XDG_CACHE_HOME") or home / ".cache"
    return [
        ("downloaded", paths.models_folder()),
        ("~/models", home / "models"),
        ("~/Downloads", home / "Downloads"),
        (_("Hugging Face cache"), hub_cache()),
        ("LM Studio", home / ".lmstudio" / "models"),
        ("LM Studio", cache / "lm-studio" / "models"),
        ("llama.cpp", _given("LLAMA_CACHE") or cache / "llama.cpp"),
        ("llama.cpp", home / "Library" / "Caches" / "llama.cpp"),
    ]


def hub_cache() -> Path:
    """Return the folder in which huggingface_hub keeps what it downloads."""
    if given := _given("HF_HUB_CACHE") or _given("HUGGINGFACE_HUB_CACHE"):
        return given
    if base := _given("HF_HOME"):
        return base / "hub"
    cache = _given("XDG_CACHE_HOME") or Path.home() / ".cache"
    return cache / "huggingface" / "hub"


def gguf_files(seconds: float = SECONDS) -> list[GGUFFile]:
    """Return the models that were found within `seconds`, the newest first.

    Includes the models of an Ollama that does not run. Never raises.
    """
    until = monotonic() + seconds
    found: dict[str, GGUFFile] = {}
    try:
        for place, folder in folders():
            for file in _in_folder(place, folder, until):
                found.setdefault(os.path.realpath(file.path), file)
        for file in _of_ollama(until):
            found.setdefault(os.path.realpath(file.path), file)
    except (OSError, RuntimeError):  # RuntimeError: there is no home folder
        pass
    return sorted(found.values(), key=lambda file: -file.changed)[:_FILES]


def _in_folder(place: str, folder: Path, until: float) -> Iterator[GGUFFile]:
    sizes: dict[str, tuple[int, float]] = {}
    for entry in _walk(folder, _SHALLOW.get(place, _DEEPEST), until):
        if found := _regular(entry):
            sizes[entry] = found.st_size, found.st_mtime
    for path, (size, changed) in sizes.items():
        name = Path(path).name
        if _NO_MODEL.search(name):
            continue
        if part := _PART.search(name):
            if part[1] != "00001":
                continue
            parts = [
                path[: -len(part[0])] + f"-{n:05}-of-{part[2]}{path[-5:]}"
                for n in range(1, int(part[2]) + 1)
            ]
            if not all(each in sizes for each in parts):
                continue  # not complete
            size = sum(sizes[each][0] for each in parts)
        if file := _described(path, name, place, size, changed):
            yield file


def _walk(folder: Path, deepest: int, until: float) -> Iterator[str]:
    """Yield the paths of files that end in .gguf, in folders not below `deepest`."""
    left = _ENTRIES
    waiting = [(str(folder), 0)]
    while waiting:
        here, depth = waiting.pop()
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    left -= 1
                    if left < 0 or monotonic() > until:
                        return
                    if entry.name.startswith(".") and depth == 0:
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        if depth < deepest:
                            waiting.append((entry.path, depth + 1))
                    elif entry.name.lower().endswith(".gguf"):
                        yield entry.path
        except OSError:
            continue


def _regular(path: str) -> os.stat_result | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - a link, as in Hugging Face's cache
    except (OSError, ValueError):
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _described(
    path: str, name: str, place: str, size: int, changed: float
) -> GGUFFile | None:
    """Return the file if it is what its name says, and its path is UTF-8."""
    try:
        path.encode()
        with open(path, "rb") as file:  # noqa: PTH123
            head = file.read(_HEAD)
    except (OSError, UnicodeError):
        return None
    if not head.startswith(b"GGUF"):
        return None
    context = _CONTEXT.search(head)
    tokens = int.from_bytes(context[1], "little") if context else 0
    return GGUFFile(path, name, place, size, changed, tokens)


def _of_ollama(until: float) -> Iterator[GGUFFile]:
    """Yield the models in Ollama's store, where a file is named by its hash."""
    stores = [
        _given("OLLAMA_MODELS"),
        Path.home() / ".ollama" / "models",
        Path("/usr/share/ollama/.ollama/models"),
    ]
    for store in filter(None, stores):
        root = store / "manifests"
        left = 1000
        for here, folders, names in os.walk(root):
            if len(Path(here).relative_to(root).parts) >= _DEEPEST:
                folders.clear()
            for name in names:
                left -= 1
                if left < 0 or monotonic() > until:
                    return
                if file := _manifest(store, Path(here) / name, root):
                    yield file


def _manifest(store: Path, file: Path, root: Path) -> GGUFFile | None:
    try:
        with file.open("rb") as opened:
            layers = json.loads(opened.read(1 << 20))["layers"]
        digest = next(
            str(layer["digest"])
            for layer in layers
            if layer["mediaType"] == "application/vnd.ollama.image.model"
        )
    except (OSError, ValueError, KeyError, TypeError, StopIteration, RecursionError):
        return None
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        return None
    # registry.ollama.ai/library/llama3.2/latest
    parts = file.relative_to(root).parts
    shown = [part for part in parts[1:-1] if part != "library"]
    name = f"{'/'.join(shown)}:{parts[-1]}"
    path = str(store / "blobs" / digest.replace(":", "-"))
    found = _regular(path)
    if found is None or not name.isprintable():
        return None
    return _described(path, name, "Ollama", found.st_size, found.st_mtime)


def _given(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return files.expanded(value) if value else None
