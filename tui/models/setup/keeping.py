"""Writes a model into the user's config.toml, and its key beside it.

The file is the user's: everything in it stays byte for byte, except the line
`model = "..."` if the model becomes the default. What was written is read again and
compared before the file is replaced, so an edit that would change anything else is
never made. Two programs that write at the same time wait for each other.
"""

import fcntl
import os
import re
import time
from collections.abc import Callable, Container, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import tomli_w

from tui import config, files, paths
from tui.config import Config, LlamaModelConfig, ModelConfig
from tui.errors import ConfigError
from tui.i18n import _
from tui.models import keys
from tui.models.setup.places import Chosen


class Kept(msgspec.Struct, frozen=True):
    """What `keep` has done."""

    name: str
    """The model's name from now on."""
    file: Path
    added: bool
    """False if the file has had this model before."""
    default: bool
    """Whether new conversations begin with it."""
    problem: str = ""
    """Why it is not in the file, with the lines to add by hand, or ""."""


def keep(chosen: Chosen, file: Path | None = None, *, default: bool = False) -> Kept:
    """Add a model to `file` (None: the user's config.toml), and store its key.

    `default`: make it the model of new conversations. If the file has the same model
    already, under whatever name, that name is kept. Raises `ConfigError` with the
    lines to add by hand if the file cannot be written.
    """
    file = file or paths.config_file()
    if chosen.key_env and (key := keys.held(chosen.key_env)):
        keys.store(chosen.key_env, key)
    # A link, as dotfiles are kept by, stays a link.
    target = Path(os.path.realpath(file))
    try:
        files.make_folder(target.parent)
        with _alone(target.parent):
            return _add(chosen, target, file, default)
    except OSError as error:
        raise ConfigError(
            _(
                "{file} cannot be written: {strerror}. To keep the model, add:\n{name}"
            ).format(
                file=file,
                strerror=error.strerror or error,
                name=entry(chosen.name, chosen),
            )
        ) from error


def append(
    lines: str, change: Callable[[Config], Config], file: Path | None = None
) -> Path:
    """Add `lines` to the end of `file` (None: the user's config.toml); return it.

    `change` returns what the configuration must be afterwards. Raises `ConfigError`,
    with the lines to add by hand, if that is not so or the file cannot be written.
    """
    file = file or paths.config_file()
    target = Path(os.path.realpath(file))
    try:
        files.make_folder(target.parent)
        with _alone(target.parent):
            try:
                text = files.read_text(target)
            except FileNotFoundError:
                text = ""
            new = _with_entry(text, lines)
            with suppress(ConfigError):
                if config.parse(new) == change(config.parse(text, str(file))):
                    files.replace_private(target, new.encode())
                    return file
    except UnicodeDecodeError as error:
        raise ConfigError(
            _("{file} is not UTF-8, so nothing was added.").format(file=file)
        ) from error
    except OSError as error:
        why = error.strerror or error
        raise ConfigError(
            _("{file} cannot be written: {why}. Add:\n{lines}").format(
                file=file, why=why, lines=lines
            )
        ) from error
    raise ConfigError(
        _("{file} cannot be changed; fix it, or add by hand:\n{lines}").format(
            file=file, lines=lines
        )
    )


def entry(name: str, chosen: Chosen) -> str:
    """Return the lines for config.toml."""
    table = msgspec.to_builtins(chosen.settings)
    lines = [f"# {_comment(chosen.about)} (added {time.strftime('%Y-%m-%d')})"]
    if chosen.key_env:
        lines.append(
            f"# Its key is in the variable {chosen.key_env}, else in keys.toml beside "
            "this file."
        )
    lines.append(f"[models.{name}]")
    lines += [tomli_w.dumps({key: value}).rstrip("\n") for key, value in table.items()]
    if isinstance(chosen.settings, LlamaModelConfig):
        lines.append(
            "# context = 8192                   # tokens; 0 = what it can have"
        )
    lines.append("# options = { temperature = 0.7 }  # sent with each question")
    return "\n".join(lines) + "\n"


def _add(chosen: Chosen, target: Path, file: Path, default: bool) -> Kept:
    try:
        text = files.read_text(target)
    except FileNotFoundError:
        text = ""
    except UnicodeDecodeError as error:
        raise ConfigError(
            _("{file} is not UTF-8, so nothing was added.").format(file=file)
        ) from error
    if target.exists() and not target.is_file():
        raise ConfigError(
            _("{file} is not a regular file, so nothing was added.").format(file=file)
        )
    before = config.parse(text, str(file))
    name, added = _name(chosen, before)
    new = text
    after = before
    if added:
        new = _with_entry(new, entry(name, chosen))
        models = before.models | {name: chosen.settings}
        after = msgspec.structs.replace(after, models=models)
    if default:
        new = _with_default(new, name)
        after = msgspec.structs.replace(after, model=name)
    if new != text:
        _require_same(new, after, file, name, chosen)
        files.replace_private(target, new.encode())
    return Kept(name, file, added, default)


def _require_same(
    text: str, wanted: Config, file: Path, name: str, chosen: Chosen
) -> None:
    with suppress(ConfigError):
        if config.parse(text) == wanted:
            return
    raise ConfigError(
        _(
            "{file} is written in a form that lazychat cannot add to. To keep the "
            'model, add model = "{name}" and, in the same form:\n{name2}'
        ).format(file=file, name=name, name2=entry(name, chosen))
    )


def _name(chosen: Chosen, before: Config) -> tuple[str, bool]:
    """Return the model's name, and whether it is new."""
    for name, model in before.models.items():
        if same(model, chosen.settings):
            return name, False
    return free_name(chosen.name, config.models(before)), True


def free_name(name: str, taken: Container[str]) -> str:
    """Return `name`, with a number if it is taken."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def same(one: ModelConfig, other: ModelConfig) -> bool:
    """Return whether both reach the same model; the user may have added options."""
    if type(one) is not type(other):
        return False
    fields = ("model", "base_url", "supplier", "api_key_env", "path")
    return all(getattr(one, f, "") == getattr(other, f, "") for f in fields)


def _with_entry(text: str, added: str) -> str:
    end = "\r\n" if "\r\n" in text else "\n"
    if text and not text.endswith("\n"):
        text += end
    gap = end if text else ""
    return text + gap + added.replace("\n", end)


_TABLE = re.compile(r"^[ \t]*\[", re.M)
_DEFAULT = re.compile(
    r"""^(?P<key>[ \t]*(?:model|"model"|'model')[ \t]*=[ \t]*)"""
    r"""(?P<value>"[^"\n]*"|'[^'\n]*')""",
    re.M,
)


def _with_default(text: str, name: str) -> str:
    """Set the key `model` of the root table."""
    table = _TABLE.search(text)
    root = text[: table.start()] if table else text
    if found := _DEFAULT.search(root):
        start, end = found.span("value")
        return f'{text[:start]}"{name}"{text[end:]}'
    # Behind the comment that begins the file, which is about all of it.
    heading = re.match(r"(?:[ \t]*#[^\n]*\n)+(?=[ \t]*\r?\n)", text)
    place = heading.end() if heading else 0
    end = "\r\n" if "\r\n" in text else "\n"
    line = f'model = "{name}"  # of new conversations{end}'
    before, after = text[:place], text[place:]
    if before:
        line = end + line
    elif after and not after.startswith(("\n", "\r\n")):
        line += end
    return before + line + after


def _comment(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


@contextmanager
def _alone(folder: Path) -> Generator[None]:
    """Keep other programs from writing the file in `folder` meanwhile."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
