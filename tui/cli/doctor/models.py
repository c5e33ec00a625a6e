"""Tries each configured model: its server, its key, its file."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from tui import config, files
from tui.cli.doctor import gguf
from tui.cli.doctor.findings import Check, Finding, Verdict
from tui.cli.doctor.storage import spell_bytes
from tui.config import (
    Config,
    LlamaModelConfig,
    ModelConfig,
    OpenAIModelConfig,
    ScriptedModelConfig,
)
from tui.errors import ConfigError, LazychatError
from tui.i18n import _, labelled
from tui.models.catalog import ModelCatalog
from tui.spelling import nearest

ANSWER_SECONDS = 5.0
"""Seconds that a server has to answer."""
KEY_SECONDS = 15.0
"""The same where a command gives the key, which may ask for a passphrase."""


class Try(NamedTuple):
    """A model's check."""

    check: Check
    asks_server: bool


def checks(settings: Config) -> list[Try]:
    """Return a check for each model that is configured, and for the default."""
    catalog = ModelCatalog(settings)
    default = config.default_model(settings)
    names = list(dict.fromkeys([default, *settings.models]))
    return [_check(catalog, name, name == default) for name in names]


def _check(catalog: ModelCatalog, name: str, default: bool) -> Try:
    """Return the check of a model; what fails of the default model is an error."""
    worst: Verdict = "error" if default else "warning"
    shown = _("{name} (default)").format(name=name) if default else name

    def found(verdict: Verdict, text: str, remedy: str = "") -> Finding:
        return Finding("model", verdict, labelled(shown, text), remedy)

    def run() -> Iterator[Finding]:
        try:
            settings = catalog.find(name)
            yield from _tried(catalog, name, settings, worst, found)
        except LazychatError as error:
            yield found(worst, str(error).rstrip("."))

    known: ModelConfig | None = None
    with suppress(ConfigError):  # which the check reports
        known = catalog.find(name)
    asks = isinstance(known, OpenAIModelConfig)
    slow = isinstance(known, OpenAIModelConfig) and known.api_key_cmd
    limit = KEY_SECONDS if slow else ANSWER_SECONDS
    # The model's own message about a silent server comes before the end of the check.
    return Try(Check("model", run, limit + 2.0), asks)


def _tried(
    catalog: ModelCatalog, name: str, settings: ModelConfig, worst: Verdict, found: Any
) -> Iterator[Finding]:
    match settings:
        case OpenAIModelConfig():
            yield _server(catalog, name, settings, found)
        case LlamaModelConfig(path="starter"):
            catalog.get(name)
            yield found(
                "ok", _("built in, 135 million parameters, for trying things out")
            )
        case LlamaModelConfig():
            catalog.get(name)
            yield _gguf(files.expanded(settings.path), worst, found)
        case ScriptedModelConfig():
            catalog.get(name)
            yield found("ok", _("plays the script {path}").format(path=settings.path))


def _server(
    catalog: ModelCatalog, name: str, settings: OpenAIModelConfig, found: Any
) -> Finding:
    seconds = KEY_SECONDS if settings.api_key_cmd else ANSWER_SECONDS
    model: Any = catalog.get(name)
    began = time.monotonic()
    try:
        ids: list[str] | None = model.listed(seconds)
    finally:
        model.close()
    took = (time.monotonic() - began) * 1000
    where = catalog.about(name)
    asked = where.partition(" at ")[0]
    if ids is None:
        return found(
            "ok",
            _("{where} answers in {took:.0f} ms, without listing models").format(
                where=where, took=took
            ),
        )
    # Google's ids begin with models/, and Ollama's end in :latest.
    known = {id.removeprefix("models/").removesuffix(":latest") for id in ids}
    if ids and asked.removesuffix(":latest") not in known:
        near = nearest(asked, sorted(known)).strip()
        some = _("It has: {known}").format(known=", ".join(sorted(known)[:5]))
        text = _('{where} answers, but does not list "{asked}"').format(
            where=where, asked=asked
        )
        return found("warning", text, near or some)
    return found(
        "ok", _("{where} answers in {took:.0f} ms").format(where=where, took=took)
    )


def _gguf(path: Path, worst: Verdict, found: Any) -> Finding:
    try:
        with path.open("rb") as file:
            magic = file.read(4)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        return found(worst, labelled(str(path), why), _("Check `path` in config.toml"))
    if magic != b"GGUF":
        return found(
            worst,
            _("{path} is not a GGUF file").format(path=path),
            _("Download it again"),
        )
    if cut := _cut(path, size):
        return found(worst, cut, _("Download it again"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if size > memory:
        have = _("it has {size}, this machine {memory}").format(
            size=spell_bytes(size), memory=spell_bytes(memory)
        )
        text = _("{path} is larger than the memory: {have}").format(
            path=path, have=have
        )
        return found("warning", text, _("Use a smaller model or quantisation"))
    return found("ok", f"{path}, {spell_bytes(size)}")


def _cut(path: Path, size: int) -> str:
    """Return how a file is incomplete, "" if it is not, or if that is unknown."""
    try:
        missing = gguf.needed(path) - size
    except EOFError:
        return _("{path} is incomplete: it ends within its header").format(path=path)
    except (gguf.Unknown, OSError):
        return ""
    if missing <= 0:
        return ""
    return _("{path} is incomplete: its last {missing} are missing").format(
        path=path, missing=spell_bytes(missing)
    )
