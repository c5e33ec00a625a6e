"""`OnlineChatModule`: a model on a server."""

import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypedDict

from tui import agents
from tui.errors import ConfigError, ModelError
from tui.lazyllm.arguments import ArgumentError, unknown
from tui.lazyllm.modules import ChatModule, ModelAgent, check_type
from tui.lazyllm.scope import ABSENT_OF_CALLS, refuse
from tui.models import keys, suppliers
from tui.models.openai.model import OpenAIModel
from tui.models.suppliers import SUPPLIERS, Supplier
from tui.spelling import nearest

_ALIASES = {"claude": "anthropic"}
_SAME = {"base_url": "url", "model_name": "model"}
"""Other names for arguments of a call."""
_LATE = ("auto", "dynamic")
"""LazyLLM's words for a key that is looked up later."""
_ONE_MODEL = ("llama.cpp", "lmstudio")
"""Servers that answer with the model that they have loaded, whatever is named."""

OPTIONS = frozenset(
    {
        "enable_thinking", "extra_body", "extra_headers", "frequency_penalty",
        "logit_bias", "max_completion_tokens", "max_tokens", "metadata", "min_p",
        "modalities", "n", "parallel_tool_calls", "presence_penalty",
        "reasoning_effort", "repetition_penalty", "response_format", "seed",
        "service_tier", "stop",
        "temperature", "thinking", "tool_choice", "top_k", "top_p", "user", "verbosity",
    }
)  # fmt: skip
"""Keywords that go into the request as they are; others go into `static_params`."""


class StaticParams(TypedDict, total=False):
    """What LazyLLM's programs give as `static_params`; any dict may be given."""

    temperature: float
    top_p: float
    top_k: int
    max_tokens: int
    frequency_penalty: float


class OnlineChatModule(ChatModule):
    """A model on an OpenAI-compatible server.

    `source` is a supplier such as `openai` or `deepseek`; None uses the one that
    LAZYLLM_DEFAULT_SOURCE names, else the first one whose key is set. The key is in the
    supplier's own variable, in LAZYLLM_<SOURCE>_API_KEY, or in `api_key`. `model` None
    means LAZYLLM_<SOURCE>_MODEL_NAME, else the supplier's default. If `model` is the
    name of a supplier, it is taken as `source`. `url` or `base_url` is the address of
    the user's own server, which may need no key; `skip_auth` sends none. `timeout` is
    in seconds without a byte; of a pair, the second counts. `static_params` and the
    keywords in `OPTIONS` go into each request. `system_prompt` is the same as `prompt`.
    A key is looked up before each request; with `dynamic_auth`, or "dynamic" or "auto"
    as `api_key`, or "dynamic" as `source`, it need not be there before.

    Raises `ModelError` for a missing key, naming its variables, and `ConfigError` for
    other arguments that cannot be used.
    """

    def __init__(
        self,
        model: str | None = None,
        source: str | None = None,
        url: str | None = None,
        stream: object = True,
        return_trace: bool = False,
        skip_auth: bool = False,
        type: str | None = None,
        api_key: str | None = None,
        static_params: Mapping[str, Any] | StaticParams | None = None,
        *,
        base_url: str | None = None,
        name: str | None = None,
        timeout: float | tuple[float, float] | None = None,
        max_retries: int | None = None,
        prompt: object = None,
        system_prompt: object = None,
        dynamic_auth: bool = False,
        **options: Any,
    ) -> None:
        check_type(type)
        if url and base_url and url != base_url:
            raise ArgumentError("Give the address as url or as base_url, not as both.")
        if api_key is not None and not isinstance(api_key, str):  # pyright: ignore[reportUnnecessaryIsInstance] # callers may not be type-checked
            raise ArgumentError("api_key must be one key, as text.")
        late = dynamic_auth or api_key in _LATE or source == "dynamic"
        if api_key in _LATE:
            api_key = None
        if source == "dynamic":
            source = None
        for unused in ("id", "group_id"):  # of LazyLLM's own bookkeeping
            options.pop(unused, None)
        unknown("OnlineChatModule", set(options) - OPTIONS, OPTIONS, _IN_STATIC)
        source, model = _sorted_out(source, model)
        address = url or base_url or ""
        if source is None and not address and model and model.isalpha():
            _check_not_meant_as_source(model)
        source, variables = _source(source, bool(address or api_key or late))
        supplier = SUPPLIERS[source]
        key = None
        if not skip_auth:
            key = _key(source, variables, api_key, bool(address), late)
        self._made: dict[str, Any] = {
            "name": name or source,
            "model": _model(source, supplier, model),
            "base_url": address or suppliers.address(source),
            "api_key": key,
            "key_hint": next(iter(variables), ""),
            "options": {**options, **(static_params or {})},
            "timeout": _seconds(timeout) or 120.0,
            "max_retries": 2 if max_retries is None else max_retries,
        }
        self._options = options
        self._static_params: Mapping[str, Any] = static_params or {}
        said = system_prompt if prompt is None else prompt
        super().__init__(OpenAIModel(**self._made), stream, return_trace, said)

    @property
    def static_params(self) -> Mapping[str, Any]:
        """Further fields of each request; may be replaced at any time."""
        return self._static_params

    @static_params.setter
    def static_params(self, given: Mapping[str, Any]) -> None:
        if not isinstance(given, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] # callers may not be type-checked
            raise ArgumentError("static_params must be a dict.")
        self._static_params = given
        self._made = {**self._made, "options": {**self._options, **given}}
        self.model = OpenAIModel(**self._made)

    @contextmanager
    def _agent(self, options: dict[str, Any]) -> Generator[ModelAgent]:
        if not options:
            yield agents.FunctionCallAgent(self.model)
            return
        refuse("A call", options, ABSENT_OF_CALLS)
        options = {_SAME.get(key, key): value for key, value in options.items()}
        known = OPTIONS | {"model", "url", "max_retries", "timeout", "static_params"}
        unknown("A call", set(options) - known, known, _IN_STATIC)
        made = dict(self._made)
        sent = dict(made["options"])
        for key, value in options.items():
            if key == "static_params":
                sent |= value or {}
            elif key == "url":
                made["base_url"] = value or made["base_url"]
            elif key == "timeout":
                made["timeout"] = _seconds(value) or made["timeout"]
            elif key in made:
                made[key] = made[key] if value is None else value
            else:
                sent[key] = value
        made["options"] = sent
        model = OpenAIModel(**made)
        try:
            yield agents.FunctionCallAgent(model)
        finally:
            model.close()


OnlineModule = OnlineChatModule
"""LazyLLM's name for modules of any type; here there are chat models only."""

_IN_STATIC = " What a server takes besides goes into static_params={...}."


def _seconds(timeout: float | Sequence[float] | None) -> float | None:
    """Return the seconds without a byte; of two, the first is to connect."""
    return timeout[-1] if isinstance(timeout, Sequence) else timeout


def variables_of(source: str) -> list[str]:
    """Return the variables that may hold the key of a supplier, the first one first."""
    supplier = SUPPLIERS[source]
    if not supplier.key_env:
        return []
    others = [alias for alias, name in _ALIASES.items() if name == source]
    names = [f"LAZYLLM_{name.upper()}_API_KEY" for name in (source, *others)]
    return [supplier.key_env, *names]


def _sorted_out(source: str | None, model: str | None) -> tuple[str | None, str | None]:
    """Return source and model; a model that is called like a source is one."""

    def is_source(name: str | None) -> bool:
        return name in SUPPLIERS or name in _ALIASES

    if is_source(model) and not is_source(source):
        source, model = model, source
    return (_ALIASES.get(source, source) if source else None), model or None


def _check_not_meant_as_source(model: str) -> None:
    if hint := nearest(model, [*SUPPLIERS, *_ALIASES]):
        raise ConfigError(
            f'No supplier is named "{model}".{hint} Name the source too if it is a '
            "model."
        )


def _source(source: str | None, own: bool) -> tuple[str, Sequence[str]]:
    """Return the source to use and the variables of its key.

    `own`: whether address or key are given, so that no key chooses the source.
    """
    default = os.environ.get("LAZYLLM_DEFAULT_SOURCE", "")
    if source is None and default:
        source = _ALIASES.get(default.lower(), default.lower())
        if source in SUPPLIERS and SUPPLIERS[source].key_env:
            return source, [*variables_of(source), "LAZYLLM_DEFAULT_KEY"]
    if source is None and own:
        source = "openai"
    if source is None:
        usable = [name for name in SUPPLIERS if _first_set(_choosing(name))]
        usable += [name for name in SUPPLIERS if _first_stored(_choosing(name))]
        if not usable:
            raise ModelError(
                "No online model has a key: set the variable OPENAI_API_KEY or "
                "LAZYLLM_OPENAI_API_KEY, or those of another supplier.",
                "missing_key",
            )
        source = usable[0]
    if source not in SUPPLIERS:
        known = [*SUPPLIERS, *_ALIASES]
        hint = nearest(source, known) or f" Known: {', '.join(known)}."
        raise ConfigError(f'No supplier is named "{source}".{hint}')
    return source, variables_of(source)


def _choosing(source: str) -> list[str]:
    """Return the variables that make `source` the one to use."""
    own = SUPPLIERS[source].key_env if SUPPLIERS[source].key_for_more else ""
    return [variable for variable in variables_of(source) if variable != own]


def _first_set(variables: Sequence[str]) -> str:
    return next((v for v in variables if os.environ.get(v)), "")


def _first_stored(variables: Sequence[str]) -> str:
    """Return the first variable whose key the user has pasted in the app, or ""."""
    return next((v for v in variables if keys.find(v)), "")


def _key(
    source: str,
    variables: Sequence[str],
    given: str | None,
    own_server: bool,
    late: bool,
) -> str | Callable[[], str] | None:
    if given:
        return given
    if late and variables:
        return lambda: keys.find(
            _first_set(variables) or _first_stored(variables) or variables[0]
        )
    if variable := _first_set(variables) or _first_stored(variables):
        return lambda: keys.find(variable)
    if not variables or own_server:
        return None
    raise ModelError(
        f"The supplier {source} needs a key: set the variable "
        f"{' or '.join(variables)}, or give api_key.",
        "missing_key",
    )


def _model(source: str, supplier: Supplier, model: str | None) -> str:
    variable = f"LAZYLLM_{source.upper()}_MODEL_NAME"
    model = model or os.environ.get(variable) or supplier.model
    if model:
        return model
    if source in _ONE_MODEL:
        return source
    raise ConfigError(
        f"The supplier {source} has no default model: name one, as in "
        f'OnlineChatModule(source="{source}", model="..."), or set {variable}.'
    )
