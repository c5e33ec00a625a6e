"""Finds out why a server refused a request, and what to leave out of the next one.

Servers word refusals in hundreds of ways. So this looks for the names of the optional
parts that the request has: in `loc` and `param`, where validators put them, otherwise
anywhere in the body, however long. Asking again without a part costs little, and a
part whose removal did not help is restored; see `requests`. The file is long because
each optional part has its own words for being refused.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast

from tui import bounds
from tui.models.openai.errors import is_about_credit
from tui.models.openai.overflow import is_overflow
from tui.models.openai.window import figures

What = Literal[
    "field", "tools", "tool", "schemas", "rename", "system", "images", "returns",
    "demanded", "everywhere", "signed", "stream", "alone", "null",
]  # fmt: skip


class Refusal(NamedTuple):
    """A server's refusal of a request."""

    status: int
    body: str
    """The whole body."""
    guesses: bool = True
    """Whether to guess the reason if the server gives none."""
    plain: bool = False
    """Whether only plain words count: it was a web page, which says much else."""


class Change(NamedTuple):
    """A change to the next request."""

    what: What
    name: str = ""
    """The field to leave out or to rename, the tool, or the field that is demanded."""
    guess: bool = False
    """The server gave no reason: try this change alone."""


_STATUSES = (400, 404, 405, 406, 409, 415, 422, 500, 501)
"""Those of a refusal; others are about who asks, how much, and how often."""
_AMBIGUOUS = (403, 413, 502, 503)
"""Those that gateways use for a refusal too. They count as one only if the server says
in plain words that it does not take something."""
_ABOUT_THE_KEY = (401, 403)
"""Those of a bad key, and of a good one that may not use tools: the words tell."""
_PLAIN = re.compile(
    r"not (be )?(supported|permitted|allowed|accepted|enabled|available)|"
    r"(does|do|can)(n['’]t| ?not) (support|accept|allow|take|use|call)|"
    r"\bun(supported|recogni[sz]ed|known|expected)\b|extra_forbidden|\bextra inputs|"
    r"must be one of|only .{0,60}supported|不支持|未知",
    re.I,
)

_TOOL_USE = r"(tools?|functions?)([_ -]?(calls?|calling|use|usage|choice))?"
_NO_TOOLS = re.compile(
    rf"\b{_TOOL_USE}\b[^.;:\n]{{0,60}}\b(not (be |yet |currently )?(supported|"
    r"permitted|allowed|accepted|enabled|available|included|activated)|"
    r"un(supported|available)|disabled|forbidden)\b|"
    r"\b(not|cannot|n['’]t)\b (be )?(allow(ed)?|permit(ted)?|support|includ|enabl|"
    r"use|call|have access|authori[sz]ed)[a-z]*( to| for)?( (use|call))?"
    rf"( \w+)? {_TOOL_USE}\b|\bno access to {_TOOL_USE}\b",
    re.I,
)
"""What is said of tools that an account or a key does not have."""
_BAD_KEY = re.compile(
    r"(invalid|incorrect|wrong|bad|missing|expired|revoked|malformed|unknown|no|valid)"
    r"( or \w+)? ?(api|access|auth\w*)?[ _-]?(key|token|credential)|"
    r"(key|token|credential)s? (is |was |has )?(\w+ )?(invalid|incorrect|missing|"
    r"expired|revoked|required)|unauthenticated|"
    r"authentication (fail|requir|error)|log ?in",
    re.I,
)

_WITHIN = re.compile(r"\b(?:body|request|payload|params)\.(?=[a-z_])|\$\.(?=[a-z_])")
_ECHOED = frozenset({"input", "ctx", "url", "body", "request", "received", "doc_url"})
"""Where validators repeat what was sent, or say where to read more."""

_REFUSED = re.compile(
    r"\bno[tn]?\b|\bnor\b|n['’`]?t\b|cannot|\bun(support|recogni|known|expect|avail|"
    r"implement|defined|able)|\binvalid|\bextra\b|additional propert|forbid|"
    r"disab|disallow|deprecat|prohibit|illegal|\black|without|only|instead|requir|"
    r"\bmust\b|\bremov|\bomit|\breject|\brefus|\bignor|\bfail|incompatib|"
    r"\bat (most|least)\b|\btoo (large|small|high|low|many|long)|exceed|\bm(ax|in)imum|"
    r"should be|range|between|reserved|\bwrong|\bbad\b|\berror|illegal|prohibit|"
    r"\bsolo\b|不|未|无|禁|错|误|超|非法|必须|只能|ません|できない|않|없|\bnicht\b|\bkein|\bne\b|\bpas\b|"
    r"\bnão\b|\bне\b",
    re.I,
)
_MISSING = re.compile(
    r"missing|required?\b|must (be|have|include|contain)|passed? back|expected|need|"
    r"without|includ|provid|preserv|缺|必须|需要",
    re.I,
)
_TOOLS = re.compile(
    r"\btools?\b|\btool[_ -]?(calls?|calling|choice|use|usage|parser|config)\b|"
    r"\bfunction[_ -]?(calls?|calling|use|usage)\b|\bfunctions\b|工具|函数|"
    r"ツール|関数|도구|함수|werkzeug|funktion|\boutils?\b|\bfonctions?\b|herramienta|"
    r"funci[oó]n|ferramenta|funç|strument|funzion|инструмент|функци",
    re.I,
)
_WRITTEN = re.compile(
    r"fail(ed|ure)?( to|ed_)? ?(pars|call a function|generat)|failed_generation|"
    r"error (while )?pars|pars(e|ing) (error|failure)|could not (be )?parse|"
    r"tool_use_failed|attempted to call tool|malformed (tool|function)|"
    r"invalid_tool_call|(unexpected|invalid|unterminated) .{0,40}\b(end of json|eof)\b",
    re.I,
)
"""What is said of a call that the model has just written, and its server cannot read.
That is no word about tools: the same question may be answered well."""
_GENERATED = re.compile(
    r"tool_use_failed|failed_generation|tool call validation failed", re.I
)
"""What is said of nothing else, though it names the tool, and its schema."""
_EMPTY = re.compile(
    r"\b(text|content|message)\b.*\b(blank|empty)\b|at least one content", re.I
)
_THOUGHTS = re.compile(r"\b(reasoning_content|reasoning)\b")
_UNKNOWN = re.compile(
    r"\bextra\b|unsupported|not (be )?(supported|permitted|allowed|accepted|valid)|"
    r"\bun(known|expected|recogni[sz]ed)|forbid|additional|invalid|不支持|未知",
    re.I,
)
_SYSTEM = re.compile(
    r"\b(system|developer)\b.*\b(roles?|messages?|prompts?|instructions?)\b|"
    r"\br[oô]l(es?|le)?\b.*\b(system|developer)\b|['\"`](system|developer)['\"`]|"
    r"messages?\W{0,2}0\W{0,2}role|"
    # Templates without the role: the rest takes turns already.
    r"roles must alternate|\bonly\b.{0,60}\broles? (is|are) (supported|allowed)|"
    # Validators name what they expect there, and not what they got.
    r"(should|must) be ['\"`]?user['\"`]?,? (or|and) ['\"`]?assistant\b",
    re.I,
)
_IMAGES = re.compile(
    r"image|multi-?modal|vision|\bpictures?\b|图|\bcontent\b.*\bstring\b|a sequence",
    re.I,
)
_SCHEMA = re.compile(
    r"schema|\bparameters\b|function_?declarations|\bproperties\b|\bitems\b|"
    r"(functions?|custom)\.?(name|description)|参数",
    re.I,
)
_WORDS = re.compile(
    r"unknown name|cannot find field|additionalProperties|\$ref|\$defs|prefixItems|"
    r"\b(oneOf|allOf|anyOf|const|default|pattern|format|minItems|maxItems|exclusive\w+)\b"
    r"|keyword|not repeating",
    re.I,
)
"""What is said of a word in a schema that the server does not know."""
_PLACES = (
    re.compile(r"function_?declarations\W{0,2}(\d{1,3})", re.I),
    re.compile(r"\btools?\W{0,2}(\d{1,3})\b", re.I),
)
_COMMON = frozenset({"n", "stop", "user", "seed", "store", "metadata"})
"""Names of options that are words as well: meant only where they are quoted, or are
said to be fields."""
_ROOM = ("max_tokens", "max_completion_tokens")
_MOST = r"max[_ ]?(new|output)[_ ]?tokens"
_EFFORT = r"reasoning[_ ](effort|level|mode)|thinking([_ ]\w{4,6})?|effort"
_OTHERWISE = {
    "max_tokens": _MOST,
    "max_completion_tokens": _MOST,
    "reasoning": _EFFORT,
    "reasoning_effort": _EFFORT,
    # vLLM's '"auto" tool choice requires --enable-auto-tool-choice' is about all tools.
    "tool_choice": r"tool choice(?! requires)",
}
"""Other names by which servers call a field of the request."""
_FIELD = r"\b(argument|parameter|field|option|property|key|input)s?\b"
_FORMAT = re.compile(
    r"response[_ ](format|schema|mime)|json[_ ](schema|mode|object)|structured|"
    r"guided|grammar|\boutput_config\b",
    re.I,
)
"""What is said of a schema for the answer."""
_STREAM = re.compile(r"\bstream(ing)?\b|\bSSE\b|server-sent|\bsynchronous\b", re.I)
_WORDLESS = 40
"""Characters of a refusal that gives no reason, such as "Bad Request"."""


def is_about_what_was_written(status: int, body: str) -> bool:
    """Whether a server failed because it cannot parse a call that the model wrote."""
    said, _ = _read(body, "")
    calls = _TOOLS.search(said) or re.search(
        r"function|tool_|at pos|json_validate_failed", said, re.I
    )
    return status in (400, 422, 500) and bool(calls and _WRITTEN.search(said))


def changes(
    refusal: Refusal, request: Mapping[str, Any], model: str
) -> Iterator[Change]:
    """Yield the changes that may make a refused request acceptable, likeliest first.

    `request` is the body that was sent to `model`.
    """
    if refusal.status not in (*_STATUSES, *_AMBIGUOUS, *_ABOUT_THE_KEY):
        return
    said, named = _read(refusal.body, model)
    if is_about_credit(said) or _GENERATED.search(said):
        return
    if is_overflow(said):
        yield from _about_room(said, request)
        return
    if refusal.status in _ABOUT_THE_KEY and not named:
        if _BAD_KEY.search(said):
            return
        if _NO_TOOLS.search(said):
            yield from _about_tools(refusal.status, said, named, request)
    if refusal.status == 401:
        return
    ambiguous = refusal.plain or refusal.status in _AMBIGUOUS
    if ambiguous and not (named or _PLAIN.search(said)):
        return
    found = [
        *_about_calls(said, request),
        *_about_schemas(said, named, request),
        *_about_fields(said, named, request),
        *_about_roles(said, request),
        *_about_tools(refusal.status, said, named, request),
    ]
    yield from found
    named_before = _TOOLS.search(said) or "stream" in said
    wordless = len(said) <= _WORDLESS and not (found or named_before)
    if wordless and refusal.guesses and refusal.status in (400, 422):
        # It is mostly one of these.
        if "response_format" in request:
            yield Change("field", "response_format", guess=True)
        if "tools" in request:
            yield Change("tools", guess=True)
        yield Change("field", "stream_options", guess=True)


def _about_room(said: str, request: Mapping[str, Any]) -> Iterator[Change]:
    """Find that only the room for the answer is too large, as the messages fit."""
    window, tokens = figures(said)
    if 0 < tokens < window:
        for field in _ROOM:
            if field in request:
                yield Change("field", field)


def _about_calls(said: str, request: Mapping[str, Any]) -> Iterator[Change]:
    """Find what the calls in the history lack, or have in excess."""
    messages = cast(list[dict[str, Any]], request["messages"])
    beside = set(_beside(messages))
    if re.search("thought[_ ]?signature", said, re.I):
        if beside and re.search("corrupt|mismatch|valid", said, re.I):
            yield Change("returns")
        yield Change("signed")
    named = any(re.search(rf"\b{re.escape(name)}\b", said) for name in beside)
    if named and _UNKNOWN.search(said):
        yield Change("returns")
    wanted = _THOUGHTS.search(said)
    calls = any(message.get("tool_calls") for message in messages)
    if calls and re.search(r"not both|either content or tool_calls", said, re.I):
        yield Change("alone")
    if calls and _EMPTY.search(said):
        yield Change("null")
    if wanted and wanted[1] not in request and _MISSING.search(said):
        if calls:
            yield Change("demanded", wanted[1])
        if any(message["role"] == "assistant" for message in messages):
            yield Change("everywhere", wanted[1])


def _beside(messages: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield the non-standard fields of messages and calls."""
    for message in messages:
        yield from message.keys() - {"role", "content", "tool_calls", "tool_call_id"}
        for call in message.get("tool_calls", ()):
            yield from call.keys() - {"id", "type", "function"}
            yield from call["function"].keys() - {"name", "arguments"}


def _about_schemas(
    said: str, named: list[tuple[str, ...]], request: Mapping[str, Any]
) -> Iterator[Change]:
    """Find the tool whose schema is refused, or an unsupported schema keyword."""
    tools = [tool["function"]["name"] for tool in request.get("tools", ())]
    if not tools:
        return
    places = [
        int(path[1])
        for path in named
        if path[0] == "tools" and len(path) > 1 and path[1].isdigit()
    ]
    about = bool(places) or bool(_SCHEMA.search(said))
    if about and _WORDS.search(said):
        yield Change("schemas")
    if about and not places:
        found = (pattern.search(said) for pattern in _PLACES)
        places = [int(place[1]) for place in found if place]
    if about:
        for place in places[:1]:
            if place < len(tools):
                yield Change("tool", tools[place])
    for tool in tools:
        name = re.escape(tool)
        called = rf"\b(function|tool)s?( names?)?:? ?['\"`]{name}['\"`]"
        meant = about and re.search(rf"(?<![\w-]){name}(?![\w-])", said)
        if meant or (re.search(called, said, re.I) and _REFUSED.search(said)):
            yield Change("tool", tool)
    if re.search("schema", said, re.I) and _REFUSED.search(said):
        yield Change("schemas")


def _about_fields(
    said: str, named: list[tuple[str, ...]], request: Mapping[str, Any]
) -> Iterator[Change]:
    """Find the top-level fields of the request that the refusal names."""
    fields = [key for key in request if key not in ("model", "messages")]
    if "stream_options" in fields and "include_usage" in said:
        yield Change("field", "stream_options")
    if "response_format" in fields and _FORMAT.search(said) and _REFUSED.search(said):
        yield Change("field", "response_format")
    for path in named:
        # ("body", "stream_options", "include_usage"), or "stream_options.include_usage"
        for step in path[:2]:
            if step in fields:
                yield from _left_out(step)
    if any(path[0] == "messages" for path in named) or not _REFUSED.search(said):
        return
    # The longest first: `tool_choice` is not `tools`.
    for field in sorted(fields, key=len, reverse=True):
        name = re.escape(field)
        if field in _OTHERWISE:
            name = f"({name}|{_OTHERWISE[field]})"
        else:  # in prose it loses its underscores: "parallel tool calls"
            name = name.replace("_", "[_ -]")
        quoted = re.search(rf"['\"`‘“]{name}['\"`’”]", said)
        plain = re.search(rf"(?<![\w.]){name}(?![\w-])", said, re.I)
        if field in _COMMON:
            plain = re.search(rf"{_FIELD}[^.\n]{{0,20}}\b{name}\b", said, re.I)
        if quoted or plain:
            yield from _left_out(field)
    if request.get("stream") and _STREAM.search(said):
        yield Change("stream")


def _left_out(field: str) -> Iterator[Change]:
    match field:
        case "tools" | "stream":
            yield Change(field)
        case "max_tokens" | "max_completion_tokens":
            yield Change("rename", field)
            yield Change("field", field)
        case _:
            yield Change("field", field)


def _about_roles(said: str, request: Mapping[str, Any]) -> Iterator[Change]:
    messages = cast(list[dict[str, Any]], request["messages"])
    if messages and messages[0]["role"] == "system" and _SYSTEM.search(said):
        yield Change("system")
    images = any(isinstance(message["content"], list) for message in messages)
    if images and _IMAGES.search(said):
        yield Change("images")


def _about_tools(
    status: int,
    said: str,
    named: list[tuple[str, ...]],
    request: Mapping[str, Any],
) -> Iterator[Change]:
    """Find a refusal of all tools, in any wording.

    Nearly every refusal that mentions tools means that there are none. A refused
    history of calls counts too: without tools it is sent as text.
    """
    calls = any("tool_calls" in message for message in request["messages"])
    if ("tools" not in request and not calls) or _WRITTEN.search(said):
        return
    told = _TOOLS.search(said) and (status < 500 or _REFUSED.search(said))
    if told or any(path[0] == "tools" for path in named):
        yield Change("tools")


def _read(body: str, model: str) -> tuple[str, list[tuple[str, ...]]]:
    """Return the words of a body, and the paths of the fields that it names."""
    try:
        value = bounds.decode(body)
    except ValueError:
        value = body
    words: list[str] = []
    named: list[tuple[str, ...]] = []
    for key, found in _found(value):
        if key == "param" and isinstance(found, str) and found:
            path = [step for step in re.split(r"[.\[\]]+", found) if step]
            named.append(tuple(path) or (found,))
        elif key == "loc" and isinstance(found, str | list):
            if isinstance(found, str):
                found = [step for step in re.split(r"[.\[\]]+", found) if step]
            steps = [str(step) for step in cast(list[Any], found)]
            if steps[:1] in (["body"], ["request"], ["query"]):
                del steps[0]
            if steps:
                named.append(tuple(steps))
        elif isinstance(found, str):
            words.append(found)
        elif key == "fields":
            names = (_snake(str(name)) for name in found)
            named += [(name,) for name in names if name]
    said = "\n".join([*words, *map(".".join, named)])
    # Some name the request before the field.
    said = _WITHIN.sub("", said)
    # Some servers name fields in the way of another language.
    snake = _snake(said)
    said = said if snake == said else f"{said}\n{snake}"
    # A model may be called after tools, and be quoted.
    for name in (model, model.rpartition("/")[2]):
        said = said.replace(name, "model") if len(name) > 2 else said
    return said, named


def _snake(name: str) -> str:
    """Return a name such as `streamOptions` as `stream_options`."""
    inner = re.sub(r"(?<=[a-z])[A-Z]", lambda found: f"_{found[0].lower()}", name)
    return inner[:1].lower() + inner[1:]


def _found(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each text and each `loc` of an error with its key.

    If `errors` is an object, yield its keys as `fields`: they name the bad fields.
    """
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, list):
        if key == "loc":
            yield key, cast(list[Any], value)
            return
        for item in cast(list[Any], value):
            yield from _found(item, key)
    elif isinstance(value, dict):
        if key == "errors":
            yield "fields", list(cast(dict[str, Any], value))
        for name, item in cast(dict[str, Any], value).items():
            if name not in _ECHOED:
                yield from _found(item, name)
