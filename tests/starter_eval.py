"""Measure the starter model on a set of prompts: python tests/starter_eval.py FILE ...

A set is JSON: `tools` (name, description, parameters, keywords), `prompts` (text and
the call it asks for: null, or a name and for each argument the values that are right;
where `about_itself` is given, also whether it asks about the starter itself) and
`answers` (text, call, output of the tool, the figures an answer must contain).

A decision is right when the right tool is called once with the right arguments and no
others, or rightly none. Values are compared without case and spaces; an argument that
is left out has its default. The exit status is 0 when at least 85 % of the decisions
with keywords and 90 % of the answers are right.
"""

import argparse
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tui.events import TextDelta
from tui.messages import Message, Reply, ToolCall, ToolSchema
from tui.models.starter import StarterModel
from tui.models.starter.intent import asks_who
from tui.turn import Turn

DECISIONS, ANSWERS = 0.85, 0.9


def load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def schemas(data: Mapping[str, Any], keywords: bool) -> list[ToolSchema]:
    return [
        ToolSchema(
            t["name"],
            t["description"],
            t["parameters"],
            tuple(t.get("keywords", ())) if keywords else (),
        )
        for t in data["tools"]
    ]


def ask(
    model: StarterModel, messages: Sequence[Message], tools: Sequence[ToolSchema]
) -> Reply:
    stream = model.generate(messages, tools, Turn())
    while True:
        try:
            next(stream)
        except StopIteration as end:
            return end.value


def decide(model: StarterModel, text: str, tools: Sequence[ToolSchema]) -> Reply:
    """Return the decision alone: where there is no call, the answer is not awaited."""
    stream = model.generate([Message("user", text)], tools, Turn())
    try:
        while True:
            if isinstance(next(stream), TextDelta):
                stream.close()
                return Reply(Message("assistant"))
    except StopIteration as end:
        return end.value


def is_right(
    calls: Sequence[ToolCall],
    want: Mapping[str, Any] | None,
    tools: Sequence[ToolSchema],
) -> bool:
    if want is None:
        return not calls
    if len(calls) != 1 or calls[0].name != want["name"]:
        return False
    given = calls[0].arguments
    assert isinstance(given, dict)
    properties = next(t for t in tools if t.name == want["name"]).parameters[
        "properties"
    ]
    wanted: Mapping[str, Sequence[Any]] = want["arguments"]
    for name, values in wanted.items():
        value = given.get(name, properties.get(name, {}).get("default"))
        if _plain(value) not in [_plain(v) for v in values]:
            return False
    return all(
        name in wanted or _plain(value) == _plain(properties[name].get("default"))
        for name, value in given.items()
    )


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return re.sub(r"\s+", "", str(value)).casefold()


def decisions(
    model: StarterModel, data: Mapping[str, Any], keywords: bool, verbose: bool = False
) -> tuple[Counter[str], Counter[str]]:
    """Return how many are right and how many there are, by kind of prompt."""
    tools = schemas(data, keywords)
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for prompt in data["prompts"]:
        calls = decide(model, prompt["text"], tools).message.tool_calls
        good = is_right(calls, prompt["call"], tools)
        if "about_itself" in prompt:
            good &= asks_who(prompt["text"]) == prompt["about_itself"]
        chinese = re.search(r"[\u4e00-\u9fff]", prompt["text"])
        kinds = [
            "all",
            "Chinese" if chinese else "English",
            "a call" if prompt["call"] else "no call",
        ]
        total.update(kinds)
        if good:
            right.update(kinds)
        elif verbose:
            print(f"  wrong: {prompt['text']!r}")
            print(f"    wanted {prompt['call']}")
            print(f"    got    {[(c.name, c.arguments) for c in calls]}")
    return right, total


def answers(
    model: StarterModel, data: Mapping[str, Any], verbose: bool = False
) -> tuple[int, int]:
    """Return how many answers contain their figures, and how many there are."""
    right = 0
    for answer in data["answers"]:
        call = ToolCall("1", answer["call"]["name"], answer["call"]["arguments"])
        output = answer["output"]
        if not isinstance(output, str):
            output = json.dumps(output, ensure_ascii=False)
        messages = [
            Message("user", answer["text"]),
            Message("assistant", tool_calls=(call,)),
            Message("tool", output, tool_call_id="1"),
        ]
        text = ask(model, messages, schemas(data, True)).message.text
        good = all(f.casefold() in text.casefold() for f in answer["figures"])
        right += good
        if verbose:
            print(f"  {'right' if good else 'WRONG'}: {answer['text']!r} -> {text!r}")
    return right, len(data["answers"])


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("file", type=Path, nargs="+")
    parser.add_argument("-v", "--verbose", action="store_true")
    args = parser.parse_args()
    model = StarterModel()
    passed = True
    for path in args.file:
        data = load(path)
        print(path)
        for keywords in (True, False):
            began = time.process_time()
            right, total = decisions(model, data, keywords, args.verbose)
            seconds = (time.process_time() - began) / max(1, total["all"])
            print(
                f"decisions {'with' if keywords else 'without'} keywords:",
                ", ".join(f"{k} {right[k]}/{n}" for k, n in total.items()),
                f"({right['all'] / max(1, total['all']):.1%}, {seconds:.2f} s of CPU)",
            )
            if keywords:
                passed &= right["all"] >= DECISIONS * total["all"]
        good, n = answers(model, data, args.verbose)
        print(f"answers with the right figures: {good}/{n}")
        passed &= good >= ANSWERS * n
    model.close()
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
