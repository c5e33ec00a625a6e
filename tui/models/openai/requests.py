"""Writes the requests to one model, and adapts them when the server refuses one.

A refused part is left out of the next request on trial. If that request succeeds, the
change holds for this model and the user is told. If not, everything is restored and the
user sees the refusal.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from tui.i18n import _
from tui.messages import Message, ToolSchema
from tui.models.openai.refusals import Change, Refusal, changes
from tui.models.openai.servers import Server
from tui.models.openai.wire import Form, wire_messages, wire_tools

_OTHER_NAME = {
    "max_tokens": "max_completion_tokens",
    "max_completion_tokens": "max_tokens",
}


_MOST_TOOLS = 3
"""That are left out, one after another, before all are."""


class Taken(msgspec.Struct, frozen=True):
    """The form of request that a model accepts, as far as is known."""

    form: Form
    plain: bool = False
    """Schemas in the words of `schemas.portable(plain=True)`."""
    stream: bool = True
    left_out: frozenset[str] = frozenset()
    """Fields of the request; `tools` is one of them."""
    renamed: frozenset[str] = frozenset()
    """Fields that go under their other name."""
    tools_left_out: frozenset[str] = frozenset()
    """Tools whose schema is refused: name and schema, as JSON."""


class Requests:
    """Writes the requests to one model of one server. Thread-safe."""

    def __init__(
        self,
        model: str,
        server: Server,
        origin: str,
        options: Mapping[str, Any],
        stream: bool,
    ) -> None:
        self._model = model
        self._options = dict(options)
        self._calls_need_tools = server.has("tools with calls")
        self.taken = Taken(
            Form(
                origin,
                returns=not server.has("no reasoning"),
                demanded="reasoning_content" if server.has("reasoning back") else "",
                everywhere=server.has("reasoning everywhere"),
                signed=server.has("signatures back"),
            ),
            plain=server.has("plain schemas"),
            stream=stream,
        )

    def tools(self, tools: Sequence[ToolSchema], taken: Taken) -> list[ToolSchema]:
        """Return the tools that the request offers."""
        if "tools" in taken.left_out:
            return []
        return [tool for tool in tools if _key(tool) not in taken.tools_left_out]

    def body(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema],
        taken: Taken,
        options: Mapping[str, Any],
        schema: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the request's body in the form `taken`.

        `options` are those of the turn, before the model's own. `schema` is what the
        answer should fit; None for text.
        """
        tools = self.tools(tools, taken)
        form = taken.form
        if self._calls_need_tools and not tools:
            form = msgspec.structs.replace(form, calls=False)
        body: dict[str, Any] = {
            "model": self._model,
            "messages": wire_messages(messages, form),
            "stream": taken.stream,
        }
        if tools:
            body["tools"] = wire_tools(tools, taken.plain)
        if taken.stream:
            body["stream_options"] = {"include_usage": True}
        if schema is not None:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": answer_format(schema),
            }
        body |= {**self._options, **options}
        if not taken.stream:
            body["stream"] = False
            body.pop("stream_options", None)
        if not tools:
            # Most servers refuse them without any.
            body.pop("tool_choice", None)
            body.pop("parallel_tool_calls", None)
        for name in taken.renamed & body.keys():
            body[_OTHER_NAME[name]] = body.pop(name)
        return {key: body[key] for key in body if key not in taken.left_out}

    def change(
        self,
        refusal: Refusal,
        body: Mapping[str, Any],
        tools: Sequence[ToolSchema],
        tried: Sequence[Taken],
    ) -> tuple[Change, Taken] | None:
        """Return the change to try after a refusal, and the form with that change.

        None if every likely change has been tried. `body` is the refused request;
        `tried` are the forms so far, the last of which produced it.
        """
        for change in changes(refusal, body, self._model):
            before = tried[0] if change.guess else tried[-1]
            changed = _changed(change, tools, before)
            one_by_one = len(changed.tools_left_out - tried[0].tools_left_out)
            if change.what == "tool" and one_by_one > _MOST_TOOLS:
                # It is about all of them.
                change = Change("tools")
                changed = _changed(change, tools, before)
            if changed not in tried:
                return change, changed
        return None


def _changed(change: Change, tools: Sequence[ToolSchema], taken: Taken) -> Taken:
    replace, form = msgspec.structs.replace, taken.form
    match change.what:
        case "field":
            return replace(taken, left_out=taken.left_out | {change.name})
        case "tools":
            form = replace(form, calls=False)
            return replace(taken, form=form, left_out=taken.left_out | {"tools"})
        case "tool":
            keys = {_key(tool) for tool in tools if tool.name == change.name}
            return replace(taken, tools_left_out=taken.tools_left_out | keys)
        case "rename":
            if _OTHER_NAME[change.name] in taken.renamed:
                return taken  # it has come back from there
            return replace(taken, renamed=taken.renamed | {change.name})
        case "schemas":
            return replace(taken, plain=True)
        case "stream":
            return replace(taken, stream=False)
        case "system":
            return replace(taken, form=replace(form, system=False))
        case "images":
            return replace(taken, form=replace(form, images=False))
        case "returns":
            form = replace(
                form, returns=False, demanded="", everywhere=False, signed=False
            )
            return replace(taken, form=form)
        case "demanded":
            return replace(taken, form=replace(form, demanded=change.name))
        case "everywhere":
            form = replace(form, demanded=change.name, everywhere=True)
            return replace(taken, form=form)
        case "signed":
            return replace(taken, form=replace(form, signed=True))
        case "alone":
            return replace(taken, form=replace(form, alone=True))
        case "null":
            return replace(taken, form=replace(form, null=True))


def answer_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema for the answer, as OpenAI's two APIs name it."""
    return {"name": "answer", "schema": dict(schema), "strict": _is_closed(schema)}


def _is_closed(schema: Any) -> bool:
    """Return whether OpenAI takes a schema as strict: each object tells all it has."""
    if isinstance(schema, list):
        return all(map(_is_closed, cast(list[Any], schema)))
    if not isinstance(schema, Mapping):
        return True
    rules = cast(Mapping[str, Any], schema)
    if "properties" in rules or rules.get("type") == "object":
        names = list(rules.get("properties", {}))
        if rules.get("additionalProperties") is not False:
            return False
        if sorted(names) != sorted(rules.get("required", [])):
            return False
    return all(map(_is_closed, rules.values()))


def _key(tool: ToolSchema) -> str:
    return json.dumps([tool.name, tool.parameters], sort_keys=True, default=str)


def notice(change: Change, model: str, url: str, words: str) -> str:
    """Return the notice for the user about a change; `words` quotes the server.

    "" for a change that the user would not notice.
    """
    said = f': "{words}"' if words else "."
    match change.what:
        case "tools":
            what = _(
                "{model} on {url} does not accept tools: asking without them"
            ).format(model=model, url=url)
        case "tool":
            what = _(
                "{model} on {url} rejects the schema of the tool {name}: asking "
                "without this tool"
            ).format(model=model, url=url, name=change.name)
        case "field":
            what = _(
                "{model} on {url} does not accept {name}: asking without it"
            ).format(model=model, url=url, name=change.name)
        case "rename":
            what = _(
                "{model} on {url} does not accept {name}: asking with {other_name} "
                "instead"
            ).format(
                model=model,
                url=url,
                name=change.name,
                other_name=_OTHER_NAME[change.name],
            )
        case "stream":
            what = _(
                "{model} on {url} does not stream: answers appear when they are "
                "complete"
            ).format(model=model, url=url)
        case "system":
            what = _(
                "{model} on {url} does not accept a system message: sending it with "
                "the first question"
            ).format(model=model, url=url)
        case "images":
            what = _(
                "{model} on {url} does not accept images: sending only their names"
            ).format(model=model, url=url)
        case (
            "schemas"
            | "returns"
            | "demanded"
            | "everywhere"
            | "signed"
            | "alone"
            | "null"
        ):
            return ""
    return what + said
