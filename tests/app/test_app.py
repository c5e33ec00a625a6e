"""The app under Textual's pilot: what is offered, asked and shown."""

import re
import tempfile
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import Future
from pathlib import Path
from time import monotonic

import pytest
from support.pilot import LIMIT, opened

from tui import conversation, paths
from tui.app import commands, state
from tui.app.chat.external_editor import edit
from tui.errors import LogError
from tui.events import Event, TurnRequested, UsageReported
from tui.messages import Message, Reply, ToolCall, ToolSchema
from tui.models.scripted import ScriptedModel, Think
from tui.runtime.runner import request
from tui.tools import builtin
from tui.turn import Turn

pytestmark = pytest.mark.usefixtures("home")

BUNDLED = [name for name, tool in builtin().items() if tool.policy == "allow"]
"""What is on with the starter, for which the script stands."""
ALL_ON = f"Tools {len(BUNDLED)}/{len(builtin())}"
ONE_OFF = f"Tools {len(BUNDLED) - 1}/{len(builtin())}"


# -- tools


async def test_tool_switched_off_in_the_sidebar_is_not_offered() -> None:
    async with opened(["One.", "Two.", "Three."]) as chat:
        await chat.ask("First")
        await chat.until("One.")

        await chat.pilot.press("f2", "down", "space")
        await chat.until(ONE_OFF)
        await chat.pilot.press("escape")
        await chat.ask("Second")
        await chat.until("Two.")

        assert chat.offered() == [BUNDLED, BUNDLED[1:]]


async def test_tool_that_the_configuration_disables_is_off_until_switched_on() -> None:
    toml = '[tools]\ndisabled = ["current_time"]'
    async with opened(["One.", "Two."], toml) as chat:
        await chat.ask("First")
        await chat.until("One.")
        await chat.pilot.press("f2")
        await chat.until(ONE_OFF)

        await chat.pilot.press("down", "space", "escape")
        await chat.until(ALL_ON)
        await chat.ask("Second")
        await chat.until("Two.")

        assert chat.offered() == [BUNDLED[1:], BUNDLED]


async def test_parameters_of_a_tool_are_shown_on_demand() -> None:
    async with opened() as chat:
        assert "The city or the IANA" not in chat.text

        await chat.pilot.press("f2", "down", "enter")

        await chat.until("The city or the IANA")


async def test_switching_a_tool_does_not_change_the_turn_that_runs() -> None:
    gate = threading.Event()
    call = ToolCall("", "get_current_weather", {"location": "Tokyo"})
    async with opened([["Wait. ", gate, call], "It is 10."]) as chat:
        await chat.ask("Weather?")
        await chat.until("Wait.")
        await chat.pilot.press("f2", "down", "space")
        await chat.until(ONE_OFF)
        gate.set()
        await chat.until("It is 10.")

        result = chat.model.requests[1].messages[-1]
        assert result.role == "tool"
        assert '"temperature":"10"' in result.text


# -- the order of keys


async def test_keys_of_a_burst_take_effect_in_their_order() -> None:
    async with opened() as chat:
        for key in ["t", "e", "h", "backspace", "backspace", "h", "e", "ctrl+j", "x"]:
            chat.app.simulate_key(key)
        await chat.until(lambda: chat.screen.composer.text.endswith("x"))

        assert chat.screen.composer.text == "the\nx"


async def test_key_after_f2_goes_where_f2_has_gone() -> None:
    async with opened(["Hi."]) as chat:
        await chat.until(lambda: chat.host.enabled)
        await chat.type("draft")
        for key in ["f2", "down", "space"]:
            chat.app.simulate_key(key)
        await chat.until(ONE_OFF)

        assert chat.screen.composer.text == "draft"
        assert chat.model.requests == []


async def test_switched_tool_stays_off_when_the_tools_are_shown_anew_at_once() -> None:
    async with opened(["Hi."]) as chat:
        await chat.pilot.press("f2")
        chat.screen.sidebar.action_cursor_down()
        chat.screen.sidebar.action_switch()
        chat.screen.tools.show()

        assert len(chat.screen.sidebar.enabled) == len(BUNDLED) - 1
        assert len(chat.screen.tools.enabled()) == len(BUNDLED) - 1


async def test_keys_go_on_when_the_widget_of_the_last_one_is_gone() -> None:
    async with opened() as chat:
        for key in ["f1", "escape", "ctrl+n", "ctrl+l", "escape", "a", "b"]:
            chat.app.simulate_key(key)

        await chat.until(lambda: chat.screen.composer.text == "ab")


async def test_status_says_that_a_call_is_being_written_and_shows_none_of_it() -> None:
    gate = threading.Event()
    opening = ["Wait. ", '<tool_call>\n{"name": "get_current', gate]
    rest = '_weather", "arguments": {"location": "Tokyo"}}\n</tool_call>'
    async with opened([[*opening, rest], ["Cold."]]) as chat:
        await chat.ask("Weather?")
        await chat.until("writing a tool call")

        assert "get_current" not in chat.pane
        gate.set()
        await chat.until("Cold.")
        assert "get_current" not in chat.pane


# -- streaming


async def test_stream_off_holds_an_answer_back_and_on_shows_it_at_once() -> None:
    gates = [threading.Event() for _ in range(3)]
    steps = ["a1 ", gates[0], "a2 ", gates[1], "a3 ", gates[2], "a4"]
    async with opened([steps]) as chat:
        await chat.ask("Go")
        await chat.until("a1")

        await chat.pilot.press("ctrl+t")
        gates[0].set()
        held = chat.screen.presenter
        await chat.until(lambda: any(held._held.values()))
        assert "a2" not in chat.text
        assert "a1" in chat.text

        await chat.pilot.press("ctrl+t")
        await chat.until("a1 a2")
        gates[1].set()
        await chat.until("a1 a2 a3")

        await chat.pilot.press("ctrl+t")
        gates[2].set()
        await chat.until("a1 a2 a3 a4")


async def test_stream_switch_is_remembered() -> None:
    async with opened() as chat:
        await chat.pilot.press("ctrl+t")
        await chat.until("stream off")
    async with opened() as chat:
        await chat.until("stream off")


async def test_cancelled_answer_is_kept_and_told_to_the_model_next_time() -> None:
    async with opened([["Half of ", threading.Event()], "Two."]) as chat:
        await chat.ask("First")
        await chat.until("Half of")
        await chat.pilot.press("escape")
        await chat.ready()

        await chat.ask("Second")
        await chat.until("Two.")

        assert "Half of" in chat.text
        said = [(m.role, m.text.strip()) for m in chat.model.requests[1].messages]
        assert ("assistant", "Half of") in said
        assert said[-1] == ("user", "Second")


async def test_second_escape_ends_the_question_that_waits_too() -> None:
    script = [["Busy ", threading.Event()], ["More ", threading.Event()]]
    async with opened(script) as chat:
        await chat.ask("First")
        await chat.until("Busy")
        await chat.ask("Second")
        await chat.until("Queued: Second")

        chat.app.simulate_key("escape")
        chat.app.simulate_key("escape")
        await chat.ready()

        assert not chat.screen.presenter.waiting
        assert not chat.screen.presenter.running
        assert chat.screen.composer.text == "Second"


async def test_the_key_beside_a_queued_question_is_seen_at_any_width() -> None:
    async with opened([["Busy ", threading.Event()]], size=(60, 20)) as chat:
        await chat.ask("First")
        await chat.until("Busy")
        await chat.ask("And what about the DNS records, which are elsewhere?")
        await chat.until("… · Alt+Up takes it back")
        assert "Queued: And what about " in chat.text
        await chat.pilot.resize_terminal(120, 40)
        await chat.until("which are elsewhere? · Alt+Up takes it back")


async def test_question_that_waits_stands_below_the_answer_that_is_written() -> None:
    gate, more = threading.Event(), ToolCall("1", "nonesuch", {})
    script = [["Begin. ", gate, more], ["Rest of one."], ["Answer two."]]
    async with opened(script) as chat:
        await chat.ask("First")
        await chat.until("Begin.")
        await chat.ask("Second")
        await chat.until("Queued: Second")
        gate.set()
        await chat.until("Answer two.")

        assert "waits" not in chat.text
        said = ["First", "Begin.", "Rest of one.", "Second", "Answer two."]
        places = [chat.text.index(text) for text in said]
        assert places == sorted(places)


async def test_question_that_never_got_its_turn_is_not_waited_for_again() -> None:
    async with opened([["Begin. ", threading.Event()]]) as chat:
        await chat.ask("First")
        await chat.until("Begin.")
        await chat.ask("Second")
        await chat.until("Queued: Second")
        id = chat.screen.conversation

    async with opened(["Answer."]) as chat:
        chat.app.tabs.open(id)
        await chat.until("Taken back: Second")
        await chat.ready()
        assert "waits" not in chat.text


async def test_question_of_a_program_that_is_gone_is_not_waited_for() -> None:
    async with opened() as chat:
        log, id = chat.host.log, chat.screen.conversation
        gone = TurnRequested("starter", runner="gone")
        request(log, id, Message("user", "Lost"), gone)[1].result()

        await chat.until("Not asked: Lost")
        await chat.ready()
        await chat.pilot.press("escape")
        await chat.until("Taken back: Lost")

        assert chat.screen.composer.text == "Lost"
        assert "not asked" not in chat.text


async def test_failure_to_write_an_answer_is_told() -> None:
    gate = threading.Event()
    async with opened([["Begin. ", gate, "Rest."]]) as chat:
        await chat.ask("First")
        await chat.until("Begin.")
        turn = chat.screen.presenter.running
        assert turn
        chat.host.runner._fail(turn, LogError("The disk is full."))

        await chat.until("The disk is full.")
        await chat.until(lambda: chat.screen.status.state == "error")
        gate.set()


async def test_question_that_cannot_be_written_is_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opened() as chat:
        failed: Future[int] = Future()
        failed.set_exception(LogError("The disk is full."))
        monkeypatch.setattr(chat.host.log, "append", lambda *_, **__: failed)
        await chat.ask("Keep me")

        await chat.until("The disk is full.")
        await chat.until(lambda: chat.screen.composer.text == "Keep me")
        monkeypatch.undo()


async def test_figures_of_the_last_answer_go_when_the_next_begins() -> None:
    script = [["One.", UsageReported(12, 34, 1.0)], [threading.Event()]]
    async with opened(script) as chat:
        await chat.ask("First")
        await chat.until("12 in / 34 out")
        await chat.ask("Second")
        await chat.until("thinking")

        assert "34 out" not in chat.text


async def test_answer_goes_on_while_another_conversation_is_open() -> None:
    gate = threading.Event()
    async with opened([["Slow ", gate, "answer."]]) as chat:
        await chat.ask("First")
        await chat.until("Slow")
        old = chat.screen.conversation

        await chat.pilot.press("ctrl+n")
        await chat.until(lambda: chat.screen.conversation != old)
        gate.set()

        log = chat.host.log
        await chat.until(lambda: not conversation.running(log, old))
        *_, answer = conversation.fold(log.read(old)).entries.values()
        assert answer.message.text == "Slow answer."
        assert "Slow" not in chat.text


async def test_one_can_type_and_leave_while_a_model_loads() -> None:
    loaded = threading.Event()

    class Slow(ScriptedModel):
        def preload(self) -> None:
            loaded.wait(LIMIT)

        def generate(
            self, messages: Sequence[Message], tools: Sequence[ToolSchema], turn: Turn
        ) -> Generator[Event, None, Reply]:
            self.preload()
            return (yield from super().generate(messages, tools, turn))

    async with opened(model=Slow(["Loaded now."])) as chat:
        await chat.until("loading")
        await chat.pilot.press("h", "i")
        await chat.until(lambda: chat.screen.composer.text == "hi")
        await chat.pilot.press("enter")
        await chat.until(lambda: chat.screen.presenter.running)
        assert chat.screen.status.state == "loading"
        loaded.set()
        await chat.until("Loaded now.")
        await chat.ready()
        loaded.clear()

        await chat.pilot.press("ctrl+n")
        await chat.until("loading")
        began = monotonic()
    assert monotonic() - began < LIMIT / 2
    loaded.set()


async def test_an_error_stays_while_the_model_still_loads() -> None:
    from tui.errors import ModelError

    loaded = threading.Event()

    class Slow(ScriptedModel):
        def preload(self) -> None:
            loaded.wait(LIMIT)

    async with opened(model=Slow([[ModelError("Refused.")]])) as chat:
        await chat.ask("Go")
        await chat.until("Refused.")
        await chat.until(lambda: chat.screen.status.state == "error")

        chat.screen.presenter.show_loading()
        loaded.set()
        await chat.until(lambda: not chat.screen.presenter.loading)

        assert chat.screen.status.state == "error"


async def test_page_keys_scroll_the_conversation_while_one_writes() -> None:
    long = "\n\n".join(f"paragraph {number}" for number in range(60))
    async with opened([long], size=(80, 24)) as chat:
        await chat.ask("Go")
        await chat.until("paragraph 59")
        await chat.type("draft")

        await chat.pilot.press("pageup")
        await chat.until(lambda: "paragraph 59" not in chat.text)
        await chat.pilot.press("x", "pagedown")
        await chat.until("paragraph 59")
        assert chat.screen.composer.text == "draftx"


# -- commands


async def test_mistyped_command_is_not_sent_and_can_be_mended() -> None:
    async with opened(["Asked the model!"]) as chat:
        await chat.ask("/hlep")

        await chat.until('Did you mean "/help"?')
        assert chat.screen.composer.text == "/hlep"
        assert chat.model.requests == []


async def test_text_that_only_begins_with_a_slash_is_a_message() -> None:
    async with opened(["It is a folder.", "Also one."]) as chat:
        await chat.ask("/usr/bin is what?")
        await chat.until("It is a folder.")
        await chat.ask("/etc/passwd")
        await chat.until("Also one.")


@pytest.mark.parametrize(
    ("typed", "seen"),
    [("/help", "New line"), ("/debug", "Debug · "), ("/model", "Choose a model")],
)
async def test_slash_commands_do_what_the_keys_do(typed: str, seen: str) -> None:
    async with opened(["Asked the model!"], size=(80, 24)) as chat:
        await chat.ask(typed)

        await chat.until(seen)
        assert chat.model.requests == []


def squeezed(text: str) -> str:
    return "".join(text.split())


async def test_help_tells_of_every_command_at_80_by_24() -> None:
    async with opened(size=(80, 24)) as chat:
        await chat.pilot.press("f1")
        await chat.until("Keys and commands")

        pages = [chat.text]
        assert "Ctrl+J, Alt+Enter" in pages[0]
        assert [c.name for c in commands.COMMANDS[:4] if c.help not in pages[0]] == []
        while commands.COMMANDS[-1].help not in pages[-1]:
            await chat.pilot.press("pagedown")
            await chat.until(lambda: chat.text != pages[-1])
            pages.append(chat.text)

        # A long text goes on in the next row.
        told = re.sub(r"[\s│▁-█]+", "", "".join(pages))
        untold = [c.name for c in commands.COMMANDS if squeezed(c.help) not in told]
        assert untold == []
        await chat.pilot.press("escape")
        await chat.until("Message")


async def test_help_of_a_small_screen_is_indented_and_not_cut() -> None:
    async with opened(size=(40, 15)) as chat:
        await chat.pilot.press("f1")
        await chat.until("Keys and commands")

        rows = [row.strip("│") for row in chat.text.splitlines()]
        keys = next(n for n, row in enumerate(rows) if row.startswith("  Up, Down"))
        below = [row.rstrip() for row in rows[keys + 1 : keys + 3]]
        assert below == ["     Previous, next message you", "     sent"]

        await chat.pilot.resize_terminal(80, 24)
        await chat.until("Up, Down                    Previous, next message you")


async def test_model_is_chosen_from_the_list_or_by_name(home: Path) -> None:
    (home / "b.toml").write_text('[[reply]]\ntext = "I am b."')
    toml = f'[models.b]\nprovider = "scripted"\npath = "{home / "b.toml"}"'
    async with opened(["I am the starter."], toml) as chat:
        await chat.pilot.press("ctrl+l")
        await chat.until("Choose a model")
        await chat.until("built in, 135 million")
        await chat.pilot.press("up", "enter")
        await chat.until(lambda: chat.screen.status.model == "b")
        await chat.ask("Who?")
        await chat.until("I am b.")

        await chat.ask("/model starter")
        await chat.until(lambda: chat.screen.status.model == "starter")
        await chat.ask("Who?")
        await chat.until("I am the starter.")

        await chat.ask("/model startr")
        await chat.until('Did you mean "starter"?')


async def test_commands_are_found_in_the_palette_by_name_and_by_what_they_do() -> None:
    async with opened() as chat:
        for typed in ("quit", "exit"):
            await chat.pilot.press("ctrl+p")
            await chat.until("Type to filter")
            await chat.pilot.press(*typed)
            await chat.until(lambda: "/help" not in chat.text)
            await chat.until("/quit          Exit")
            await chat.pilot.press("escape")
            await chat.until(lambda: "Type to filter" not in chat.text)


async def test_theme_is_chosen_and_remembered() -> None:
    async with opened() as chat:
        await chat.ask("/theme lazychat-light")
        await chat.until(lambda: chat.app.theme == "lazychat-light")
    async with opened() as chat:
        assert chat.app.theme == "lazychat-light"

        await chat.ask("/theme nosuch")
        await chat.until('no theme "nosuch"')
        assert chat.app.theme == "lazychat-light"


async def test_theme_that_nobody_chose_is_not_remembered() -> None:
    async with opened() as chat:
        await chat.ready()
    assert not paths.state_file().exists()


async def test_theme_is_chosen_from_a_list() -> None:
    async with opened() as chat:
        await chat.ask("/theme")
        await chat.until("● lazychat-dark")

        await chat.pilot.press("down", "enter")

        await chat.until(lambda: "Choose a theme" not in chat.text)
        assert chat.app.theme == "lazychat-light"
    async with opened() as chat:
        assert chat.app.theme == "lazychat-light"


async def test_a_theme_is_seen_before_it_is_chosen_and_esc_restores() -> None:
    async with opened() as chat:
        await chat.ask("/theme")
        await chat.until("● lazychat-dark")

        await chat.pilot.press("down")
        await chat.until(lambda: chat.app.theme == "lazychat-light")
        await chat.pilot.press("escape")

        await chat.until(lambda: chat.app.theme == "lazychat-dark")
        await chat.until(lambda: "Choose a theme" not in chat.text)
    assert state.load(paths.state_file()).theme is None


async def test_a_theme_is_reloaded_when_its_file_is_saved() -> None:
    file = paths.themes_folder() / "mine.toml"
    file.parent.mkdir(parents=True)
    file.write_text('primary = "#ff0000"\nbackground = "#000000"')
    async with opened(toml='theme = "mine"') as chat:
        await chat.ready()
        assert chat.screen.styles.background.hex == "#000000"

        file.write_text('primary = "#ff0000"\nbackground = "#112233"\n')
        await chat.until("Theme mine reloaded")
        await chat.until(lambda: chat.screen.styles.background.hex == "#112233")

        file.write_text('primary = "#ff0000"\nbackground = "#11223"\n\n')
        await chat.until("background cannot")
        assert chat.app.theme == "mine"
        assert chat.screen.styles.background.hex == "#112233"


async def test_what_was_wrong_with_a_theme_goes_when_its_file_is_mended() -> None:
    file = paths.themes_folder() / "mine.toml"
    file.parent.mkdir(parents=True)
    file.write_text(good := 'primary = "#ff0000"\nbackground = "#000000"')
    async with opened(toml='theme = "mine"', size=(60, 24)) as chat:
        await chat.ready()
        for number, bad in enumerate(("primary = [[[", "primary = [[[[")):
            file.write_text(bad)
            await chat.until("Invalid value")
            assert chat.text.count("Invalid value") == 1, number

        file.write_text(good)
        await chat.until("Theme mine reloaded")

        assert "Invalid value" not in chat.text


async def test_keys_of_the_configuration_are_used_and_shown() -> None:
    async with opened(toml='[keys]\nstream = "f8"\ndbug = "f5"') as chat:
        await chat.until('Did you mean "debug"?')

        await chat.pilot.press("f8")
        await chat.until("stream off")
        await chat.pilot.press("ctrl+t")
        await chat.pilot.press("f1")
        await chat.until("F8, /stream")
        assert not chat.screen.stream


async def test_keys_that_are_none_are_told_and_the_others_work() -> None:
    toml = '[keys]\nstream = "ctlr+t"\ndebug = "f5"\ntools = "alt+f77"'
    async with opened(toml=toml, size=(100, 40)) as chat:
        for wrong in ("ctlr+t", "alt+f77"):
            await chat.until(f'there is no key "{wrong}"')

        await chat.pilot.press("ctrl+t")
        await chat.until("stream off")
        await chat.pilot.press("f5")
        await chat.until("Debug · ")
        await chat.pilot.press("f1")
        await chat.until("Ctrl+T, /stream")


async def test_copy_counts_from_the_last_answer() -> None:
    async with opened(["**One.**", "Two."]) as chat:
        await chat.ask("1")
        await chat.until("One.")
        await chat.ask("2")
        await chat.until("Two.")

        await chat.ask("/copy 2")
        await chat.until(lambda: chat.app.clipboard == "**One.**")
        await chat.ask("/copy 3")
        await chat.until("No such answer")
        assert chat.app.clipboard == "**One.**"


async def test_hint_goes_with_the_next_key_or_when_it_is_no_longer_true() -> None:
    async with opened() as chat:
        await chat.pilot.press("ctrl+c")
        await chat.until("Ctrl+C again quits")
        await chat.pilot.press("x")
        await chat.until(lambda: "again quits" not in chat.text)

        # Not the second time: something else came between.
        await chat.pilot.press("ctrl+c")
        await chat.until("Ctrl+C again quits")
        await chat.until(lambda: "again quits" not in chat.text)
        assert chat.app.is_running


def test_editor_that_fails_is_named_and_the_text_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VISUAL", "/no/such/editor")

    text, problem = edit("some")

    assert text == "some"
    assert "/no/such/editor" in problem
    assert "$EDITOR" in problem


def test_an_editor_without_a_temporary_folder_is_told_and_the_text_stays(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))

    text, problem = edit("some")

    assert text == "some"
    assert problem == "Cannot write a temporary file: No such file or directory"


# -- arrangement


async def test_tools_stand_beside_the_chat_only_where_there_is_room() -> None:
    async with opened(size=(120, 40)) as chat:
        await chat.pilot.press("f2")
        await chat.until(ALL_ON)
        assert "Message" in chat.text

        await chat.pilot.resize_terminal(80, 24)
        await chat.until(lambda: ALL_ON not in chat.text)
        assert "Message" in chat.text
        await chat.pilot.press("f2")
        await chat.until(ALL_ON)
        await chat.pilot.press("escape")
        await chat.until("Message")
        assert chat.screen.composer.has_focus

        await chat.pilot.resize_terminal(120, 40)
        await chat.until(ALL_ON)


async def test_tools_hidden_on_a_wide_screen_stay_hidden_next_time() -> None:
    async with opened() as chat:
        await chat.pilot.press("f2")
        await chat.until(ALL_ON)
        await chat.pilot.press("f2")
        await chat.until(lambda: ALL_ON not in chat.text)
    async with opened() as chat:
        await chat.ready()
        assert ALL_ON not in chat.text


async def test_escape_closes_the_tools_before_it_stops_an_answer() -> None:
    async with opened([["Busy ", threading.Event()]], size=(80, 24)) as chat:
        await chat.ask("Go")
        await chat.until("Busy")
        await chat.pilot.press("f2")
        await chat.until(ALL_ON)

        await chat.pilot.press("escape")
        await chat.until("Busy")
        assert chat.screen.presenter.running

        await chat.pilot.press("escape")
        await chat.ready()


@pytest.mark.parametrize("size", [(80, 24), (200, 60), (40, 12)])
async def test_every_size_shows_answer_composer_and_state(
    size: tuple[int, int],
) -> None:
    async with opened([[Think("Hm."), "Yes."]], size=size) as chat:
        await chat.ask("Well?")
        await chat.until("Yes.")
        await chat.pilot.press("f3")
        await chat.ready()

        assert "ready" in chat.text
        assert "Mess" in chat.text


# -- what goes wrong

UNREACHABLE = (
    '[models.far]\nprovider = "openai"\nbase_url = "http://127.0.0.1:9/v1"\n'
    'api_key_env = ""\nmax_retries = 0\n'
)
NO_KEY = '[models.far]\nprovider = "openai"\napi_key_env = "NO_SUCH_KEY"\n'
NO_FILE = '[models.far]\nprovider = "llama"\npath = "/no/such.gguf"\n'
NO_SCRIPT = '[models.far]\nprovider = "scripted"\npath = "/no/script.toml"\n'


@pytest.mark.parametrize(
    ("toml", "names"),
    [
        (UNREACHABLE, "127.0.0.1:9"),
        (NO_KEY, "NO_SUCH_KEY"),
        (NO_FILE, "/no/such.gguf"),
        (NO_SCRIPT, "/no/script.toml"),
    ],
    ids=["unreachable", "no key", "no file", "no script"],
)
async def test_model_that_fails_says_why_and_the_next_question_is_answered(
    toml: str, names: str
) -> None:
    async with opened(["From the starter."], 'model = "far"\n' + toml) as chat:
        await chat.ask("Hello?")
        await chat.until(lambda: chat.screen.status.state == "error")
        await chat.until(names)
        assert "Traceback" not in chat.text
        assert "Error" not in chat.text

        await chat.ask("/model starter")
        await chat.ready()  # the error was the other model's
        await chat.ask("Hello?")
        await chat.until("From the starter.")
        await chat.ready()


async def test_error_in_mid_answer_keeps_what_was_said() -> None:
    from tui.errors import ModelError

    async with opened([["Half ", ModelError("The server hung up.")], "Yes."]) as chat:
        await chat.ask("Go")
        await chat.until("The server hung up.")

        assert "Half" in chat.text
        await chat.ask("Again?")
        await chat.until("Yes.")


async def test_state_that_cannot_be_written_or_read_is_done_without() -> None:
    paths.state_file().mkdir()
    async with opened(["Yes."]) as chat:
        await chat.pilot.press("ctrl+t", "f2")
        await chat.until("stream off")
        await chat.pilot.press("f2")
        await chat.ask("Well?")
        await chat.until("Yes.")
