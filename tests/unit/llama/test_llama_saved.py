"""What came of reading a prompt, kept on disk: taken up whole, or not at all."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tui.messages import Message
from tui.models.llama import LlamaEngine, LlamaModel, SavedPrompts, starter_path
from tui.models.llama.saved import MOST_FILES
from tui.turn import Cancellation

pytest.importorskip("llama_cpp", reason="needs the extra `local`")

PROMPT = [Message("user", "Name the largest town of Iceland.")]


@pytest.fixture
def saved(tmp_path: Path) -> SavedPrompts:
    return SavedPrompts(tmp_path / "prompts")


@pytest.fixture
def fresh() -> Iterator[Callable[[], LlamaModel]]:
    """Models whose contexts have read nothing."""
    made: list[LlamaModel] = []

    def make() -> LlamaModel:
        made.append(LlamaModel(LlamaEngine(starter_path(), 256)))
        return made[-1]

    yield make
    for model in made:
        model.close()


def held(model: LlamaModel) -> list[int]:
    """Return the tokens that the model's context has read."""
    with model.engine.hold() as context:
        return list(context.tokens)


def computed(model: LlamaModel) -> bytes:
    with model.engine.hold() as context:
        return context.state()


def only_file(saved: SavedPrompts) -> Path:
    [path] = saved.folder.iterdir()
    return path


def test_prompt_is_taken_up_as_it_was_computed(
    saved: SavedPrompts, fresh: Callable[[], LlamaModel]
) -> None:
    first, second = fresh(), fresh()
    first.read(PROMPT, Cancellation(), saved)

    second.recall(PROMPT, Cancellation(), saved)

    assert held(second) == held(first) != []
    assert computed(second) == computed(first)


def test_another_prompt_or_window_has_nothing_saved(
    saved: SavedPrompts, fresh: Callable[[], LlamaModel]
) -> None:
    fresh().read(PROMPT, Cancellation(), saved)
    other, wider = fresh(), LlamaModel(LlamaEngine(starter_path(), 512))

    other.recall([Message("user", "Hello")], Cancellation(), saved)
    wider.recall(PROMPT, Cancellation(), saved)

    assert held(other) == held(wider) == []
    wider.close()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:20],
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:5000] + bytes([data[5000] ^ 1]) + data[5001:],
        lambda data: bytes(len(data)),
    ],
    ids=["empty", "no hash", "cut", "longer", "one bit", "zeros"],
)
def test_damaged_file_is_ignored_and_replaced(
    saved: SavedPrompts,
    fresh: Callable[[], LlamaModel],
    damage: Callable[[bytes], bytes],
) -> None:
    fresh().read(PROMPT, Cancellation(), saved)
    whole = only_file(saved).read_bytes()
    only_file(saved).write_bytes(damage(whole))

    model = fresh()
    model.recall(PROMPT, Cancellation(), saved)

    assert held(model) == []
    model.read(PROMPT, Cancellation(), saved)
    assert only_file(saved).read_bytes() == whole


def test_file_under_another_name_is_not_taken(
    saved: SavedPrompts, fresh: Callable[[], LlamaModel]
) -> None:
    other = [Message("user", "Hello")]
    fresh().read(PROMPT, Cancellation(), saved)
    data = only_file(saved).read_bytes()
    only_file(saved).unlink()
    fresh().read(other, Cancellation(), saved)
    only_file(saved).write_bytes(data)

    model = fresh()
    model.recall(other, Cancellation(), saved)

    assert held(model) == []


def test_a_few_files_are_kept_at_most(
    saved: SavedPrompts, fresh: Callable[[], LlamaModel]
) -> None:
    for n in range(MOST_FILES + 2):
        model = fresh()
        model.read([Message("user", f"Hello {n}")], Cancellation(), saved)

    assert len(list(saved.folder.iterdir())) == MOST_FILES


def test_folder_that_cannot_be_made_is_no_fault(
    tmp_path: Path, fresh: Callable[[], LlamaModel]
) -> None:
    (tmp_path / "file").touch()
    saved = SavedPrompts(tmp_path / "file" / "prompts")
    model = fresh()

    model.recall(PROMPT, Cancellation(), saved)
    model.read(PROMPT, Cancellation(), saved)

    assert held(model) != []
