"""Decides which files of a repository make the model that the user wants."""

import os
import re
from collections.abc import Sequence
from urllib.parse import parse_qs, unquote

import msgspec

from tui.errors import ConfigError, ModelError
from tui.i18n import _

_NAME = r"[\w-][\w.-]{0,95}"
_SPEC = re.compile(rf"({_NAME}/{_NAME})(?::([\w.-][\w./-]{{0,199}}))?/?", re.ASCII)
_SITE = re.compile(r"(https?://)?(www\.)?(huggingface\.co|hf\.co)/|hf:", re.I)
_PART = re.compile(r"-(\d{5})-of-(\d{5})(?=\.gguf$)", re.I)
_NO_MODEL = re.compile(r"(^|[-_.])(mmproj|imatrix|clip|mtp)", re.I)
_QUANT = re.compile(
    r"(?<![a-z0-9])((?:UD-)?I?Q\d(?:_[A-Z0-9]+)*|BF16|F16|FP16|F32|MXFP4(?:_MOE)?)"
    r"(?![a-z0-9])",
    re.I,
)
_BEST = (
    "Q4_K_M", "MXFP4", "Q4_K_S", "Q4_0", "IQ4_XS", "Q4_1", "Q5_K_M", "Q3_K_M", "Q8_0",
)  # fmt: skip
"""Which one to take if the user does not say: Q4_K_M loses little and is small."""


class Wanted(msgspec.Struct, frozen=True):
    """What the user asked for."""

    repo: str
    """`owner/name`."""
    quant: str = ""
    """The quantization or the name of a file; "" for the best one."""


class HubFile(msgspec.Struct, frozen=True):
    """A file of a repository."""

    name: str
    """Its path in the repository."""
    size: int
    """Bytes; 0 if the hub does not say."""
    sha256: str = ""
    """Its checksum; "" if the hub does not say."""


def wanted(text: str) -> Wanted:
    """Return what `HF_REPO[:QUANT]` names; raises `ConfigError`.

    The address of a repository's page works too, or of one of its files.
    """
    found = _SPEC.fullmatch(_named_in(text.strip()))
    if not found or ".." in text:
        raise ConfigError(
            _(
                '"{text}" is not the name of a Hugging Face repository: write it '
                "like Qwen/Qwen3-8B-GGUF or Qwen/Qwen3-8B-GGUF:Q4_K_M."
            ).format(text=text)
        )
    return Wanted(found[1], found[2] or "")


def is_page(text: str) -> bool:
    """Return whether a text is an address at the hub, or at the mirror in use."""
    return _below_site(text.strip()) is not None


def _below_site(text: str) -> str | None:
    """Return the part of an address that is behind the hub's, None for another's."""
    mirror = os.environ.get("HF_ENDPOINT", "").rstrip("/")
    if mirror and text.startswith(f"{mirror}/"):
        return text[len(mirror) + 1 :]
    site = _SITE.match(text)
    return text[site.end() :] if site else None


def _named_in(text: str) -> str:
    """Return OWNER/NAME[:FILE] for the address of a page, other text as it is."""
    below = _below_site(text)
    if below is None:
        return text
    path, __, query = below.partition("#")[0].partition("?")
    parts = unquote(path).strip("/").split("/")
    repo = "/".join(parts[:2])
    match parts[2:]:
        case ["blob" | "resolve", _revision, *file] if file:
            return f"{repo}:{'/'.join(file)}"
        case [] | ["tree", *_]:
            file = parse_qs(query).get("show_file_info")
            return f"{repo}:{file[0]}" if file else repo
        case _:
            return below


def choose(files: Sequence[HubFile], what: Wanted) -> list[HubFile]:
    """Return the files of one model, in order; raises `ModelError` if there is none."""
    models: dict[str, list[HubFile]] = {}
    for file in files:
        base = file.name.rpartition("/")[2]
        is_model = base.lower().endswith(".gguf") and not _NO_MODEL.search(base)
        if is_model and _is_fair(file.name):
            models.setdefault(_PART.sub("", file.name), []).append(file)
    if not models:
        raise ModelError(
            _(
                "{repo} has no GGUF file. Look for a repository of the same model "
                "whose name ends in -GGUF."
            ).format(repo=what.repo),
            "not_found",
        )
    name = _pick(list(models), what.quant)
    if name is None:
        known = ", ".join(dict.fromkeys(quant(each) for each in models))
        raise ModelError(
            _("{repo} has no {quant}. It has: {known}.").format(
                repo=what.repo, quant=what.quant, known=known
            ),
            "not_found",
        )
    parts = sorted(models[name], key=lambda file: file.name)
    of = _PART.search(parts[0].name)
    if of and len(parts) != int(of[2]):
        raise ModelError(
            _(
                "{repo} has only {count} of the {of} parts of {name}. Choose "
                "another quantization."
            ).format(repo=what.repo, count=len(parts), of=int(of[2]), name=name),
            "not_found",
        )
    return parts


def quant(name: str) -> str:
    """Return the quantization in a file's name, else the name."""
    found = _QUANT.findall(name)
    return found[-1].upper() if found else name.rpartition("/")[2]


def _pick(names: Sequence[str], asked: str) -> str | None:
    if asked:
        asked = _PART.sub("", asked)  # of a model in parts, each names all
        for name in names:
            if asked.lower() in (name.lower(), name.rpartition("/")[2].lower()):
                return name
        return next((n for n in names if quant(n) == asked.upper()), None)
    for best in _BEST:
        if found := [name for name in names if quant(name) == best]:
            return min(found, key=len)
    return names[0]


def _is_fair(name: str) -> bool:
    """Return whether a path of the hub may become one in our folder."""
    parts = name.split("/")
    return len(name) < 300 and all(re.fullmatch(r"[\w-][\w. +()-]*", p) for p in parts)
