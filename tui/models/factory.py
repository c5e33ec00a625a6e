"""Makes a model from its section of the configuration, or says what is wrong there."""

import os
from collections.abc import Callable

import msgspec

from tui import files
from tui.config import (
    LlamaModelConfig,
    ModelConfig,
    OpenAIModelConfig,
    ScriptedModelConfig,
)
from tui.errors import ConfigError, ModelError
from tui.i18n import _
from tui.masking import is_variable_name
from tui.models import Model, keys
from tui.models.exchanges import Exchanges
from tui.spelling import nearest


def make(name: str, settings: ModelConfig, exchanges: Exchanges) -> Model:
    """Return a new model; `exchanges` keeps its requests. Raises `LazychatError`."""
    if dialect := getattr(settings, "dialect", ""):
        _check_dialect(name, dialect)
    match settings:
        case OpenAIModelConfig():
            return _openai(name, settings, exchanges)
        case LlamaModelConfig():
            return _llama(name, settings, exchanges)
        case ScriptedModelConfig():
            from tui.models.scripted import ScriptedModel

            return ScriptedModel.from_file(files.expanded(settings.path), name)


def _check_dialect(name: str, dialect: str) -> None:
    from tui.models.gate.detect import AUTO, DIALECTS

    known = sorted((AUTO, *DIALECTS))
    if dialect not in known:
        hint = nearest(dialect, known) or _(" Known: {known}.").format(
            known=", ".join(known)
        )
        raise ConfigError(
            _(
                '[models.{name}]: there is no dialect "{dialect}".{hint} Leave it '
                "out to let lazychat choose it by the model."
            ).format(name=name, dialect=dialect, hint=hint)
        )


def _openai(name: str, settings: OpenAIModelConfig, exchanges: Exchanges) -> Model:
    from tui.models.openai.address import proxy_address
    from tui.models.openai.model import OpenAIModel
    from tui.models.suppliers import SUPPLIERS, address

    base_url, key_env, model = settings.base_url, settings.api_key_env, settings.model
    if settings.supplier:
        if settings.supplier not in SUPPLIERS:
            hint = nearest(settings.supplier, list(SUPPLIERS))
            raise ConfigError(
                _('[models.{name}]: no supplier is named "{supplier}".{hint}').format(
                    name=name, supplier=settings.supplier, hint=hint
                )
            )
        supplier = SUPPLIERS[settings.supplier]
        base_url = base_url or address(settings.supplier)
        key_env = key_env or supplier.key_env
        model = model or supplier.model
    if key_env and not (is_variable_name(key_env) or key_env in os.environ):
        raise ConfigError(
            _(
                "[models.{name}]: api_key_env must be the name of a variable, such "
                "as MY_API_KEY, but no variable of that name is set. If it is the "
                "key itself, remove it from the file: put it into a variable, or let "
                "api_key_cmd print it."
            ).format(name=name)
        )
    return OpenAIModel(
        name,
        model or name,
        base_url or os.environ.get("OPENAI_BASE_URL") or None,
        _key(name, settings.api_key_cmd, key_env),
        key_hint=key_env,
        dialect=settings.dialect,
        options=settings.options,
        api=settings.api,
        stream=settings.stream,
        timeout=settings.timeout,
        connect_timeout=settings.connect_timeout,
        max_retries=settings.max_retries,
        context=settings.context,
        supplier=settings.supplier,
        exchanges=exchanges,
        ca_file=settings.ca_file,
        proxy=proxy_address(settings.proxy, f"[models.{name}]: proxy"),
        images=settings.images,
        price=settings.price,
    )


def _key(name: str, command: str, variable: str) -> Callable[[], str] | None:
    """Return how to get the key, afresh for each request, or None when unneeded."""
    if command:
        return lambda: keys.printed_by(command, name)
    if variable:
        return lambda: _variable(name, variable)
    return None


def _variable(name: str, variable: str) -> str:
    if key := keys.find(variable):
        return key
    raise ModelError(
        _(
            "The model {name} needs a key: /setup asks for it; or set the variable "
            "{variable}, or api_key_env or api_key_cmd in [models.{name}]."
        ).format(name=name, variable=variable),
        "missing_key",
    )


def _llama(name: str, settings: LlamaModelConfig, exchanges: Exchanges) -> Model:
    from tui.models.llama import Sampling, starter_path
    from tui.models.local import LocalModel, Spec

    options = dict(settings.options)
    max_tokens = options.pop("max_tokens", None)
    try:
        msgspec.convert(options, Sampling)
    except msgspec.ValidationError as error:
        raise ConfigError(
            _("[models.{name}]: options: {error}.").format(name=name, error=error)
        ) from error
    unknown = set(options) - set(Sampling.__struct_fields__)
    for option in sorted(unknown):
        hint = nearest(option, list(Sampling.__struct_fields__))
        raise ConfigError(
            _('[models.{name}]: options: unknown key "{option}".{hint}').format(
                name=name, option=option, hint=hint
            )
        )
    cores = os.cpu_count() or 1
    if settings.threads > cores:
        raise ConfigError(
            _(
                "[models.{name}]: threads = {threads} is more than the {cores} cores "
                "of this machine: set {cores} or fewer, or 0 for one fewer than the "
                "cores."
            ).format(name=name, threads=settings.threads, cores=cores)
        )
    starter = settings.path == "starter"
    try:
        # Not `resolve`, which raises RuntimeError on links in a circle.
        path = os.path.realpath(
            starter_path() if starter else files.expanded(settings.path)
        )
    except (RuntimeError, ValueError) as error:  # no such user's home, or a NUL
        raise ConfigError(
            _("[models.{name}]: path: {error}").format(name=name, error=error)
        ) from error
    return LocalModel(
        Spec(
            path,
            name,
            starter,
            settings.context,
            settings.threads,
            {} if starter else options,
            max_tokens,
            settings.dialect,
        ),
        exchanges,
    )
