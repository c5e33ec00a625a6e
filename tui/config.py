"""The configuration: defaults < file < environment < flags.

config.toml belongs to the user and is never written here; only `models.setup` adds
models to it. Secrets are named, not stored: `api_key_env` says which variable or
entry of keys.toml holds the key, `api_key_cmd` which command prints it.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from tui import bounds, config_problems, files, i18n, paths
from tui.errors import ConfigError
from tui.i18n import _
from tui.safe import decoded


class Section(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Base of the tables of config.toml: an unknown key is an error."""


_Amount = Annotated[float, Meta(ge=0, le=1e6)]


class Price(Section, frozen=True):
    """`price = { ... }` of a model: what a million tokens cost."""

    input: _Amount = 0.0
    """A million tokens of input."""
    output: _Amount = 0.0
    """A million tokens of output, reasoning included."""
    cached: _Amount | None = None
    """A million tokens of input that the server had cached; default: as `input`."""
    currency: Annotated[str, Meta(min_length=1, max_length=8)] = "USD"
    """The currency, such as EUR."""


class OpenAIModelConfig(Section, frozen=True, tag_field="provider", tag="openai"):
    """`[models.NAME]` with `provider = "openai"`: any compatible server."""

    model: str = ""
    """The server's name for the model; empty means the supplier's default, else
    NAME."""
    base_url: str = ""
    """The server's address; empty means the supplier's, or OPENAI_BASE_URL, or OpenAI's
    own."""
    supplier: str = ""
    """A service known by name; sets `base_url` and `api_key_env`."""
    api_key_env: str = ""
    """The environment variable that holds the key."""
    api_key_cmd: str = ""
    """A command that prints the key on its first line."""
    ca_file: str = ""
    """A PEM file with the certificates to trust for this server, in place of the
    usual ones; empty means SSL_CERT_FILE, else the usual ones."""
    proxy: str = ""
    """The proxy to this server, such as `http://proxy:3128`; empty means HTTPS_PROXY,
    HTTP_PROXY, ALL_PROXY and NO_PROXY."""
    dialect: str = ""
    """How the model writes tool calls in text; empty means by its name. `auto`
    looks for all common forms."""
    api: Literal["auto", "chat", "responses"] = "auto"
    """Which of OpenAI's APIs to use; `auto` uses chat completions, or responses if the
    server says that the model needs it."""
    stream: bool = True
    """`false` for a server that cannot stream."""
    timeout: Annotated[float, Meta(gt=0)] = 120.0
    """Seconds without a byte after which a request is abandoned; ten times as many
    without a word of the answer, if the server keeps the line open."""
    connect_timeout: Annotated[float, Meta(gt=0)] = 10.0
    """Seconds after which an attempt to connect is abandoned."""
    max_retries: Annotated[int, Meta(ge=0)] = 2
    """How often to retry after a failed connection, a rate limit or a server error."""
    context: Annotated[int, Meta(ge=0)] = 0
    """Tokens of the model's window; 0 means the server's value, if it reports one."""
    images: bool | None = None
    """Whether the model takes pictures; default: known from its name or its server."""
    price: Price | None = None
    """What a million tokens cost, for `/cost`; default: the server's prices, if it
    reports them."""
    options: dict[str, Any] = {}
    """Sent unchanged with each request, such as temperature or max_tokens."""


class LlamaModelConfig(Section, frozen=True, tag_field="provider", tag="llama"):
    """`[models.NAME]` with `provider = "llama"`: a GGUF file in its own process."""

    path: str
    """A GGUF file, or `starter` for the bundled model."""
    context: Annotated[int, Meta(ge=0)] = 8192
    """Tokens of the window; 0 means the length that the model was trained for."""
    threads: Annotated[int, Meta(ge=0)] = 0
    """Threads of the processor; 0 means one fewer than it has cores."""
    dialect: str = ""
    """How the model writes tool calls; empty means by its chat template."""
    options: dict[str, Any] = {}
    """Of these: temperature, top_p, min_p, top_k, repeat_penalty, seed, max_tokens."""


class ScriptedModelConfig(Section, frozen=True, tag_field="provider", tag="scripted"):
    """`[models.NAME]` with `provider = "scripted"`: plays a file, for demos."""

    path: str
    """A file with the script, JSON or TOML."""


ModelConfig = OpenAIModelConfig | LlamaModelConfig | ScriptedModelConfig


class ToolsConfig(Section, frozen=True):
    """`[tools]`: the tools that models may call."""

    disabled: tuple[str, ...] = ()
    """The tools that are off at the start; all others are on."""
    files: tuple[str, ...] = ()
    """Python files with `@tool` functions, besides those in the tools folder."""
    timeout: Annotated[float, Meta(gt=0)] = 60.0
    """Seconds after which a tool call is abandoned; a tool may set its own limit."""
    policy: dict[str, Literal["allow", "ask", "deny"]] = {}
    """Whether a tool may run: NAME = `allow`, `ask` or `deny`; the other tools follow
    their own policy."""
    folders: tuple[str, ...] = ()
    """The folders that tools may read and write; empty means the current one."""
    confine_commands: bool = True
    """Whether commands may write in `folders`, `command_folders` and folders for
    temporary files only, and not read lazychat's own files; needs Linux 6.2."""
    command_folders: tuple[str, ...] = ()
    """The folders besides `folders` that confined commands may write in."""
    private_addresses: bool = False
    """Whether tools may fetch from this machine and from private networks."""


class McpServerConfig(Section, frozen=True):
    """`[mcp.NAME]`: a server of tools, prompts and resources (MCP)."""

    command: str = ""
    """The program that is the server; it talks on its standard input and output."""
    args: tuple[str, ...] = ()
    """The arguments of `command`; no shell reads them. Here, and in `command`, `cwd`,
    `url`, `env` and `headers`, `${NAME}` is replaced by a variable or an entry of
    keys.toml, `$${` by `${`."""
    env: dict[str, str] = {}
    """Variables for `command`, besides the few that it inherits, such as PATH."""
    env_keys: tuple[str, ...] = ()
    """Variables to pass on to `command`, from the environment or keys.toml."""
    env_cmd: dict[str, str] = {}
    """Variables for `command`, each with a command that prints its value."""
    cwd: str = ""
    """The folder in which `command` runs; empty means the current one."""
    url: str = ""
    """The address of a server that is reached by streamable HTTP."""
    headers: dict[str, str] = {}
    """Headers sent with each request to `url`; for secrets, use the next two."""
    headers_env: dict[str, str] = {}
    """Headers, each with the variable, or the entry of keys.toml, that holds it."""
    headers_cmd: dict[str, str] = {}
    """Headers, each with a command that prints its value."""
    timeout: Annotated[float, Meta(gt=0)] = 60.0
    """Seconds after which a call is abandoned; waiting for you does not count."""
    trust: Literal["nothing", "annotations"] = "nothing"
    """`annotations` lets tools that the server calls read-only run without asking."""
    disabled: bool = False
    """Whether the server is turned off."""


class Config(Section, frozen=True):
    """All keys of config.toml."""

    model: str = ""
    """The model of new conversations: a name in `[models]`, a path or SUPPLIER/MODEL.
    Empty means `openai` if OPENAI_API_KEY is set, else `starter`."""
    agent: Literal["function_call", "react", "plan", "rewoo"] = "function_call"
    """How a turn is run: `function_call` lets the model call tools until it answers,
    `react` is for models that cannot call tools, `plan` makes a plan first, and `rewoo`
    plans all calls at once."""
    system: str = ""
    """The system prompt of every conversation."""
    stream: bool = True
    """Whether an answer is shown while it is written."""
    plain: bool = False
    """Whether `lazychat` writes labelled lines instead of a full screen, for screen
    readers (`--plain`)."""
    theme: str = ""
    """A theme's name; empty means the last one chosen, at first `lazychat-dark`."""
    notify: Literal["off", "bell", "notify"] = "bell"
    """What happens when an answer ends and the window does not have the focus: `bell`
    rings, `notify` also shows a notification (OSC 9, or 777)."""
    titles: Literal["model", "question"] = "model"
    """What a conversation is called until you rename it: `model` asks its model for a
    title once the first answer is there, except the starter; `question` takes the
    first question."""
    vi_keys: bool = False
    """Whether the composer and the conversation use vi keys."""
    mouse: bool = True
    """Whether the app uses the mouse; `false` leaves it to the terminal, whose own
    selection then works."""
    language: Literal["", "en", "zh"] = ""
    """The language of the app: `en`, or `zh` for Chinese; empty means the locale's, as
    in LANG=zh_CN.UTF-8."""
    max_rounds: Annotated[int, Meta(ge=0)] = 8
    """The most rounds of tool calls before the model has to answer."""
    tools: ToolsConfig = ToolsConfig()
    """The table `[tools]`."""
    models: dict[str, ModelConfig] = {}
    """A table `[models.NAME]` for each model."""
    mcp: dict[str, McpServerConfig] = {}
    """A table `[mcp.NAME]` for each MCP server."""
    keys: dict[str, str] = {}
    """The table `[keys]`: command to key, such as `stream = "ctrl+t"`."""


BUILT_IN_MODELS: dict[str, ModelConfig] = {
    "starter": LlamaModelConfig("starter"),
    "openai": OpenAIModelConfig(supplier="openai"),
}
"""The models that need no configuration; [models.NAME] replaces one of the same
name."""


def load(path: Path | None = None) -> Config:
    """Return the configuration from `path` (None: the user's file) and environment.

    A missing file counts as empty. Raises `ConfigError`.
    """
    path = path or paths.config_file()
    try:
        text = files.read_text(path)
    except FileNotFoundError:
        config = Config()
    except OSError as error:
        raise ConfigError(
            _("{path} cannot be read: {strerror}.").format(
                path=path, strerror=error.strerror
            )
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            _("{path} cannot be read: it is not UTF-8 (byte {start}).").format(
                path=path, start=error.start + 1
            )
        ) from error
    else:
        config = parse(text, str(path))
    return with_environment(config)


def parse(text: str, where: str = "config.toml") -> Config:
    """Return the configuration in the TOML `text`.

    Raises `ConfigError` with `where`, the line, and the nearest known key for an
    unknown one.
    """
    try:
        table = bounds.decode_toml(text)
    except ValueError as error:
        message = str(error)
        if place := re.search(r" \(at (?:line (\d+), column (\d+)|.*)\)$", message):
            message = message[: place.start()]
            line, column = place.group(1, 2)
            if not line:
                line, column = str(text.count("\n") + 1), "1"
            where = _("{where}, line {line}, column {column}").format(
                where=where, line=line, column=column
            )
        raise ConfigError(
            _("{where}: this is not TOML: {message}.").format(
                where=where, message=message
            )
        ) from error
    if isinstance(language := table.get("language"), str):
        table["language"] = i18n.known(language) or language
    try:
        config = msgspec.convert(table, Config)
    except msgspec.ValidationError as error:
        said = config_problems.explain(str(error), Config, table, text, where)
        raise ConfigError(said) from error
    if problem := config_problems.wrong_number(table, text, where):
        raise ConfigError(problem)
    return config


def with_environment(config: Config) -> Config:
    """Return `config` with LAZYCHAT_MODEL and the like applied.

    Raises `ConfigError` if a variable has an invalid value.
    """
    changes: dict[str, Any] = {}
    for key in ("model", "system", "theme"):
        if value := os.environ.get(f"LAZYCHAT_{key.upper()}"):
            changes[key] = decoded(value)
    if value := os.environ.get("LAZYCHAT_TITLES"):
        known = get_args(Config.__annotations__["titles"])
        if value not in known:
            raise ConfigError(
                _("LAZYCHAT_TITLES is {value!r}: use {known}.").format(
                    value=value, known=_(" or ").join(known)
                )
            )
        changes["titles"] = value
    if value := os.environ.get("LAZYCHAT_STREAM"):
        words = {"1": True, "true": True, "on": True, "0": False, "false": False}
        words |= {"off": False, "yes": True, "no": False}
        if value.lower() not in words:
            raise ConfigError(
                _("LAZYCHAT_STREAM is {value!r}: use on or off.").format(value=value)
            )
        changes["stream"] = words[value.lower()]
    language = os.environ.get(i18n.VARIABLE)  # `cli.language` has chosen by it
    if language and not i18n.known(language):
        raise ConfigError(
            _("{variable} is {language!r}: use en or zh.").format(
                variable=i18n.VARIABLE, language=language
            )
        )
    return msgspec.structs.replace(config, **changes)


def models(config: Config) -> dict[str, ModelConfig]:
    """Return the available models, the user's first."""
    return config.models | {
        name: model
        for name, model in BUILT_IN_MODELS.items()
        if name not in config.models
    }


def default_model(config: Config) -> str:
    """Return the name of the model for new conversations."""
    if config.model:
        return config.model
    return "openai" if os.environ.get("OPENAI_API_KEY") else "starter"
