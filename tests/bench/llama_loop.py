"""How much the llama loop adds to llama.cpp: ours against a bare loop, in one run.

Usage: python tests/bench/llama_loop.py [ROUNDS]

The bare loop is llama_decode and llama_sampler_sample on the same weights, threads and
prompt, and nothing else: no text, no gate, no events. Then ours in a process of its
own, as the app has it, against ours in this process. Rounds alternate, so that a noisy
machine is noisy for both; the ratios are what counts.
"""

import itertools
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec

from tui.events import TextDelta, UsageReported
from tui.messages import Message
from tui.models.llama import (
    Context,
    LlamaEngine,
    LlamaModel,
    Sampler,
    Sampling,
    starter_path,
)
from tui.models.local import LocalModel, Spec
from tui.turn import Cancellation, Turn

TOKENS = 150
WINDOW = 4096
ASK = Message("user", "Tell me a long story about a fox, a hare and a river.")


def ours(model: LlamaModel | LocalModel) -> float:
    """Return tokens a second, from the first to the last of an answer."""
    for event in model.generate([ASK], [], Turn()):
        if isinstance(event, UsageReported):
            return (event.output_tokens - 1) / event.seconds
    raise AssertionError("no usage was reported")


def bare(context: Context, sampler: Any, prompt: list[int]) -> float:
    """Return tokens a second of the bare loop."""
    lib, pointer = context.weights.lib, context.pointer
    context.forget()
    context.read(prompt, Cancellation())
    sampler.reset()
    buffer = context._buffer  # pyright: ignore[reportPrivateUsage]
    batch = lib.llama_batch_get_one(buffer, 1)
    token = sampler.sample(context)
    began = time.perf_counter()
    for _ in range(TOKENS - 1):
        buffer[0] = token
        lib.llama_decode(pointer, batch)
        token = sampler.sample(context)
    return (TOKENS - 1) / (time.perf_counter() - began)


def decode_speed(rounds: int) -> None:
    engine = LlamaEngine(starter_path(), WINDOW)
    greedy = Sampling(temperature=0)
    model = LlamaModel(engine, "starter", greedy, max_tokens=TOKENS)
    ours(model)
    with engine.hold(Cancellation()) as main:
        prompt = main.tokens[: len(main.tokens) - TOKENS + 1]
        context = engine.new_context(WINDOW)
        sampler = Sampler(context.weights, greedy)
    pairs: list[tuple[float, float]] = []
    for _ in range(rounds):
        with engine.hold(Cancellation()):
            speed = bare(context, sampler, prompt)
        pairs.append((ours(model), speed))
    mine, others = zip(*pairs, strict=True)
    print(
        f"decode: ours {max(mine):.1f} tokens/s, bare {max(others):.1f}; ratio of the "
        f"best {max(mine) / max(others):.3f}, median of pairs "
        f"{statistics.median(a / b for a, b in pairs):.3f}"
    )
    sampler.close()
    context.close()
    engine.close()


def first_token(rounds: int) -> None:
    engine = LlamaEngine(starter_path(), WINDOW)
    greedy = Sampling(temperature=0)
    model = LlamaModel(engine, "starter", greedy, max_tokens=60)
    with engine.hold(Cancellation()) as main:
        context = engine.new_context(WINDOW)
        sampler = Sampler(context.weights, greedy)
    ratios: list[float] = []
    for _ in range(rounds):
        said: list[Message] = []
        for number in range(10):
            said.append(Message("user", f"Tell me fact number {number} about rivers."))
            known = list(main.tokens)
            run = model.generate(said, [], Turn())
            began = time.perf_counter()
            text = next(event.text for event in run if isinstance(event, TextDelta))
            took = time.perf_counter() - began
            prompt = list(main.tokens)
            text += "".join(e.text for e in run if isinstance(e, TextDelta))
            said.append(Message("assistant", text))
        cut = next(
            (i for i, (a, b) in enumerate(zip(known, prompt, strict=False)) if a != b),
            min(len(known), len(prompt)),
        )
        with engine.hold(Cancellation()):
            context.forget()
            context.read(prompt[:cut], Cancellation())
            began = time.perf_counter()
            context.read(prompt, Cancellation())
            sampler.sample(context)
            ratios.append(took / (time.perf_counter() - began))
        with engine.hold(Cancellation()) as main:
            main.forget()
    print(
        f"first token of turn 10 ({len(prompt)} tokens, {len(prompt) - cut} of them "
        f"new): ours / bare, median {statistics.median(ratios):.3f}"
    )
    sampler.close()
    context.close()
    engine.close()


def own_process(rounds: int) -> None:
    path = os.path.realpath(starter_path())
    greedy = Sampling(temperature=0)
    here = LlamaModel(LlamaEngine(path, WINDOW), "here", greedy, max_tokens=TOKENS)
    spec = Spec(path, "there", context=WINDOW, sampling={"temperature": 0})
    there = LocalModel(msgspec.structs.replace(spec, max_tokens=TOKENS))
    for model in (here, there):
        ours(model)
    speeds: list[float] = []
    firsts: list[float] = []
    for _ in range(rounds):
        speeds.append(by_turns(lambda: ours(there), lambda: ours(here)))
    here.close()
    there.close()
    here = LlamaModel(LlamaEngine(path, WINDOW), "here", greedy, max_tokens=30)
    there = LocalModel(msgspec.structs.replace(spec, max_tokens=30))
    for _ in range(rounds):
        said: list[list[Message]] = [[], []]
        ratio = 0.0
        for number in range(10):
            ask = Message("user", f"Tell me fact number {number} about rivers.")
            ratio = by_turns(
                lambda ask=ask, said=said: first_of_turn(there, said[0], ask),
                lambda ask=ask, said=said: first_of_turn(here, said[1], ask),
            )
        firsts.append(ratio)
    print(
        "own process / this process, medians: decode tokens/s "
        f"{statistics.median(speeds):.3f}, first token of turn 10 "
        f"{statistics.median(firsts):.3f}"
    )
    here.close()
    there.close()


_swapped = itertools.cycle((False, True))


def by_turns(one: Callable[[], float], other: Callable[[], float]) -> float:
    """Return the ratio of two measurements, either of which comes first by turns."""
    if next(_swapped):
        below = other()
        return one() / below
    return one() / other()


def first_of_turn(
    model: LlamaModel | LocalModel, said: list[Message], ask: Message
) -> float:
    """Return the seconds to the first text; `said` grows by question and answer."""
    said.append(ask)
    began = time.perf_counter()
    run = model.generate(said, [], Turn())
    text = next(event.text for event in run if isinstance(event, TextDelta))
    took = time.perf_counter() - began
    text += "".join(e.text for e in run if isinstance(e, TextDelta))
    said.append(Message("assistant", text))
    return took


if __name__ == "__main__":
    rounds = int(sys.argv[1]) if sys.argv[1:] else 8
    decode_speed(rounds)
    first_token(max(3, rounds // 2))
    own_process(max(5, rounds // 2))
