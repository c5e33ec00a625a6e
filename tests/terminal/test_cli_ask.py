"""`lazychat ask` in processes of its own: what comes out where, when, and the code."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.fakes.lazychat import LIMIT, Home, complaint, needs_starter
from support.fakes.responses_server import ResponsesServer, spoken, thought, wish
from support.fakes.sse_server import (
    DONE,
    Pause,
    Stall,
    call,
    calls,
    delta,
    finish,
    text,
    usage,
)

from tui.eventlog import EventLog
from tui.events import MessageAdded, TextDelta, TurnRequested
from tui.messages import Message
from tui.tools import builtin

WEATHER = {"call": "get_current_weather", "arguments": {"location": "Tokyo"}}


@pytest.fixture
def home(tmp_path):
    with Home(tmp_path) as home:
        yield home


def read(stream, count):
    """Read exactly `count` bytes as they come."""
    return b"".join(iter_bytes(stream, count))


def iter_bytes(stream, count):
    while count > 0 and (piece := os.read(stream.fileno(), count)):
        count -= len(piece)
        yield piece


def test_a_conversation_that_outgrows_the_window_is_trimmed_and_that_is_said(
    home, server
):
    server.answer(text("Yes."), finish(), DONE)
    home.server(server.url, "context = 600")
    for n in range(5):
        home.ask("-T", "none", *["-c"][:n], f"{n} " + "abc " * 100)

    done = home.ask("-T", "none", "-c", "And now?")

    assert done.out == "Yes.\n"
    assert done.err.splitlines() == [
        "lazychat: The conversation is longer than the 600 tokens that remote can "
        "hold: its oldest 4 messages are no longer sent."
    ]
    sent = [m["content"][:1] for m in server.requests[-1].json["messages"]]
    assert sent == ["2", "Y", "3", "Y", "4", "Y", "A"]


def wait_for(home, wanted):
    """Wait until an event that is `wanted`, and has a message, is in the store."""
    with EventLog(home.store) as log, log.follow() as follow:
        while records := follow.poll(LIMIT):
            events = (r.event for r in records)
            if any(wanted(e) for e in events if hasattr(e, "message_id")):
                return
    raise AssertionError("it has not come")


def told(event):
    return event.message if isinstance(event, MessageAdded) else None


def end(process):
    out, err = process.communicate(timeout=LIMIT)
    return process.returncode, out.decode(), err.decode()


def test_the_answer_is_on_stdout_while_it_is_written(home, server):
    pause = Pause()
    home.server(server.url)
    server.answer(text("Hel"), pause, text("lo."), finish(), DONE)
    asking = home.start("-m", "tui", "ask", "hi")

    first = read(asking.stdout, 3)
    pause.go()

    assert first == b"Hel"
    assert end(asking) == (0, "lo.\n", "")
    assert [m["content"] for m in server.requests[0].json["messages"]] == ["hi"]


def test_no_stream_prints_the_answer_when_it_is_whole(home, server):
    pause = Pause()
    home.server(server.url)
    server.answer(text("Hel"), pause, text("lo."), finish(), DONE)
    asking = home.start("-m", "tui", "ask", "--no-stream", "hi")

    pause.reached()
    wait_for(home, lambda event: event == TextDelta(event.message_id, "Hel"))
    # Not a word of it for longer than a streaming printer needs.
    readable, _, _ = select.select([asking.stdout], [], [], 0.3)
    pause.go()

    assert readable == []

    assert end(asking) == (0, "Hello.\n", "")


def test_two_answers_around_a_tool_call_are_paragraphs_and_the_call_is_unseen(home):
    home.scripted([{"text": "Let me look."}, WEATHER], "It is 10 degrees in Tokyo.\n")

    done = home.ask("What's the weather in Tokyo?")

    assert done == (0, "Let me look.\n\nIt is 10 degrees in Tokyo.\n", "")
    assert [role for role, _ in home.said()] == [
        "user",
        "assistant",
        "tool",
        "assistant",
    ]


def test_structured_calls_of_a_server_are_run_and_unseen(home, server):
    home.server(server.url)
    server.answer(
        calls(call(0, "a", "get_current_weather", '{"loca')),
        calls(call(0, arguments='tion": "Paris"}')),
        finish("tool_calls"),
        DONE,
    )
    server.answer(text("22 degrees."), finish(), usage(9, 3), DONE)

    done = home.ask("-T", "get_current_weather", "Paris?")

    assert done == (0, "22 degrees.\n", "")

    result = server.requests[1].json["messages"][-1]
    assert result["role"] == "tool"
    assert '"temperature":"22"' in result["content"]


def test_thoughts_of_a_call_go_back_to_their_server_from_another_process(home, server):
    home.server(server.url)
    piece = call(0, "a", "get_current_weather", '{"location": "Paris"}')
    piece["extra_content"] = {"google": {"thought_signature": "c2ln"}}
    server.answer(
        delta(reasoning_content="Paris, then."),
        calls(piece),
        finish("tool_calls"),
        DONE,
    )
    server.answer(text("22 degrees."), finish(), DONE)

    home.ask("Paris?")
    home.ask("-c", "Thanks.")

    (sent,) = [m for m in server.asked[-1].json["messages"] if "tool_calls" in m]
    assert sent["reasoning_content"] == "Paris, then."
    assert sent["tool_calls"][0]["extra_content"] == piece["extra_content"]


@pytest.mark.parametrize("content", ["", None, "\n"])
def test_an_answer_without_a_word_is_a_failure(home, server, content):
    home.server(server.url)
    server.answer(delta(content=content, reasoning="It is 4."), finish(), DONE)

    done = home.ask("What is 2+2?")

    assert (done.code, done.out.strip()) == (1, "")
    assert "without an answer (finish_reason stop)" in done.err


def test_an_answer_that_a_filter_ends_says_so(home, server):
    home.server(server.url)
    server.answer(text("Once upon"), finish("content_filter"), DONE)

    done = home.ask("Tell me.")

    assert (done.code, done.out) == (0, "Once upon\n")
    assert "content filter" in done.err


def test_thoughts_that_were_printed_as_an_answer_are_told_apart(home, server):
    home.server(server.url)
    pause = Pause()
    server.answer(text("They ask 2+2."), pause, text("</think>\n\n4."), finish(), DONE)
    process = home.start("-m", "tui", "ask", "What is 2+2?")
    assert read(process.stdout, 13) == b"They ask 2+2."
    pause.go()

    out, err = process.communicate(timeout=LIMIT)

    assert out == b"\n4.\n"
    assert b"is reasoning" in err


def test_a_text_call_leaks_nothing(home):
    wanted = '{"name": "get_current_weather", "arguments": {"location": "Tokyo"}}'
    home.scripted(f"Wait. <tool_call>\n{wanted}\n</tool_call>", "10 degrees.")

    done = home.ask("weather?")

    assert done.out.split() == ["Wait.", "10", "degrees."]
    assert '"temperature":"10"' in home.said()[2][1]


def test_thinking_aloud_is_not_the_answer(home):
    home.scripted([{"reasoning": "Hm, hm."}, {"text": "<think>Hm.</think>Yes."}])

    assert home.ask("Sure?") == (0, "Yes.\n", "")


@pytest.mark.parametrize(
    ("arguments", "stdin", "asked"),
    [
        (["what", "is", "this"], None, "what is this"),
        (["explain"], "some text\n", "explain\n\nsome text\n"),
        ([], "only stdin\n", "only stdin\n"),
        (["explain"], "  \n", "explain"),
        (["这是什么"], "文字", "这是什么\n\n文字"),
        (["--", "-m is an option?"], None, "-m is an option?"),
    ],
)
def test_the_question_is_the_arguments_and_stdin(home, arguments, stdin, asked):
    home.scripted("Fine.")

    assert home.ask(*arguments, input=stdin).code == 0

    assert home.said()[0] == ("user", asked)


def test_stdin_that_is_no_text_is_used_wrongly(home):
    home.scripted("Fine.")

    done = home.ask("look", input=b"PNG\xff\xfe\x00")

    assert "not UTF-8 text (byte 4)" in complaint(done, 2)


@pytest.mark.parametrize(
    ("closed", "out"), [("<&-", b"Fine.\n"), ("2>&-", b"Fine.\n"), (">&-", b"")]
)
def test_a_closed_stream_is_as_good_as_none(home, closed, out):
    home.scripted("Fine.")

    asked = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -m tui ask hi {closed}'],
        env=home.env,
        cwd=home.work,
        capture_output=True,
        timeout=LIMIT,
        check=False,
    )

    assert (asked.returncode, asked.stdout, asked.stderr) == (0, out, b"")
    assert home.said() == [("user", "hi"), ("assistant", "Fine.")]


@pytest.mark.parametrize("arguments", [[], [""], [" "]])
def test_no_question_is_used_wrongly(home, arguments):
    home.scripted("Fine.")

    assert 'lazychat ask "' in complaint(home.ask(*arguments), 2)

    assert not home.store.exists()


def test_an_unknown_option_is_used_wrongly(home):
    done = home.ask("--colour", "hi")

    assert (done.code, done.out) == (2, "")
    assert "--colour" in done.err


@pytest.mark.parametrize(
    "arguments", [["What is this?"], ["-m", "play", "ask", "What is this?"]]
)
def test_a_question_without_its_command_is_told_the_command(home, arguments):
    done = home.run(*arguments)

    assert (done.code, done.out) == (2, "")
    assert "What is this?" in done.err
    assert done.err.endswith('; to ask: lazychat ask "..."\n')


def test_a_command_behind_its_options_is_told_its_place(home):
    done = home.run("--no-stream", "doctor")

    assert done.code == 2
    assert done.err.endswith(
        "unrecognized arguments: doctor; the command comes first: lazychat doctor ...\n"
    )


@pytest.mark.parametrize("more", [[], ["--help"], ["--json"], ["3f2a"]])
def test_a_mistyped_command_names_the_one_that_was_meant(home, more):
    done = home.run("docto", *more)

    assert (done.code, done.out) == (2, "")
    assert 'no command "docto". Did you mean "doctor"?' in done.err
    assert 'lazychat ask "..."' in done.err


def test_a_word_that_is_near_no_command_is_told_where_they_are_listed(home):
    done = home.run("xyzzy")

    assert (done.code, done.out) == (2, "")
    assert 'no command "xyzzy". `lazychat --help` lists them.' in done.err


def test_the_model_is_chosen_by_name(home):
    home.scripted("From the first.")
    script = home.write("other.json", '{"reply": [{"text": "From the other."}]}')
    with (home.folder / "config.toml").open("a") as file:
        file.write(f'[models.other]\nprovider = "scripted"\npath = "{script}"\n')

    assert home.ask("hi").out == "From the first.\n"
    assert home.ask("-m", "other", "hi").out == "From the other.\n"
    environment = {"LAZYCHAT_MODEL": "other"}
    assert home.ask("hi", env=environment).out == "From the other.\n"
    assert home.ask("-m", "play", "hi", env=environment).out == "From the first.\n"


def test_a_supplier_and_its_model_need_no_configuration(home, server):
    server.answer(text("Oui."), finish(), DONE)

    done = home.ask(
        *("-m", "openai/big", "-s", "Answer in French.", "Yes?"),
        env={"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "sk-1"},
    )

    assert done == (0, "Oui.\n", "")
    request = server.requests[0]
    assert request.headers["authorization"] == "Bearer sk-1"
    assert request.json["model"] == "big"
    assert request.json["messages"] == [
        {"role": "system", "content": "Answer in French."},
        {"role": "user", "content": "Yes?"},
    ]


def test_a_pause_before_the_next_try_is_told_on_stderr(home, server):
    refusal = {"error": {"message": "Too many requests"}}
    server.json(refusal, status=429, headers={"Retry-After-Ms": "1200"})
    server.answer(text("Hello"), finish(), DONE)
    home.config(
        'model = "remote"\n[models.remote]\nprovider = "openai"\n'
        f'base_url = "{server.url}"\n'
    )

    done = home.ask("-T", "none", "Hi")

    assert done == (
        0,
        "Hello\n",
        "lazychat: rate-limited, retry in 2 s (1/2): Too many requests\n",
    )
    assert "retry in 2 s (1/2): Too many" in home.run("tail").out


def test_a_model_of_the_responses_api_has_its_reasoning_back_the_next_day(home):
    with ResponsesServer() as server:
        server.say(
            thought("I must look."),
            wish("c", "get_current_weather", '{"location": "Tokyo"}'),
        )
        server.say(thought("Cold."), spoken("It is 10 degrees."))
        server.say(spoken("Take a coat."))
        home.server(server.url)

        first = home.ask("What is the weather in Tokyo?")
        then = home.ask("-c", "And what do I wear?")

    assert first == (0, "It is 10 degrees.\n", "")
    assert then == (0, "Take a coat.\n", "")
    assert server.problems == []
    kinds = [item.get("type", item.get("role")) for item in server.bodies[-1]["input"]]
    assert kinds == [
        *("user", "reasoning", "function_call", "function_call_output"),
        *("reasoning", "assistant", "user"),
    ]
    assert "gAAA" not in home.run("export").out


TOOLS = '''
from tui.tools import tool

@tool
def shout(text: str) -> str:
    """Say it loudly."""
    return text.upper()

@tool
def whisper(text: str) -> str:
    """Say it quietly."""
    return text.lower()

def plain(text: str) -> str:
    """Say it as it is."""
    return text

class Box:
    """Keep things."""

    def __call__(self, thing: str) -> str:
        return thing

box = Box()
'''


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("mine:nothing", "Tools mine:nothing: AttributeError"),
        ("nowhere:plain", "Tools nowhere:plain: ModuleNotFoundError"),
        (":plain", "Tools :plain: no module; write module:function."),
        ("no.py:plain", "no such file"),
    ],
)
def test_a_source_of_tools_that_is_not_there_is_named(home, source, told):
    home.scripted("Fine.")
    (home.work / "mine.py").write_text(TOOLS)

    assert told in complaint(home.ask("-T", source, "hi"), 2)


def test_an_installed_package_offers_tools(home):
    site = home.work / "site"
    about = site / "shed-1.0.dist-info"
    about.mkdir(parents=True)
    (site / "shed.py").write_text(TOOLS)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: shed\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[lazychat.tools]\nall = shed\none = shed:plain\nbad = shed:gone\n"
    )
    home.env["PYTHONPATH"] += f"{os.pathsep}{site}"
    home.scripted([{"call": "plain", "arguments": {"text": "hey"}}], "Done.")

    done = home.ask("Say hey.")

    assert (done.code, done.out) == (0, "Done.\n")
    assert "lazychat.tools bad: AttributeError" in done.err
    (asked,) = [r.event for r in home.records() if isinstance(r.event, TurnRequested)]
    assert {"plain", "shout", "whisper"} <= set(asked.tools)
    assert home.said()[2] == ("tool", "hey")


@pytest.mark.parametrize(
    ("arguments", "offered"),
    [
        ([], sorted(builtin())),
        (["-T", "get_current_weather"], ["get_current_weather"]),
        (["-T", "mine.py"], ["shout", "whisper"]),
        (
            ["-T", "mine.py", "-T", "get_current_weather"],
            ["get_current_weather", "shout", "whisper"],
        ),
        (["-T", "mine.py:plain"], ["plain"]),
        (["-T", "mine:plain", "-T", "mine:shout"], ["plain", "shout"]),
        (["-T", "mine:box"], ["Box"]),
        (["-T", "none"], []),
    ],
)
def test_tools_are_chosen_by_name_or_file(home, arguments, offered):
    home.scripted("Fine.")
    home.env["PYTHONSAFEPATH"] = "1"  # as the installed program is started
    (home.work / "mine.py").write_text(TOOLS)

    assert home.ask(*arguments, "hi") == (0, "Fine.\n", "")

    asked = [r.event for r in home.records() if isinstance(r.event, TurnRequested)]
    assert sorted(asked[0].tools) == offered


def test_tools_of_the_users_folder_are_on(home):
    home.write("tools/mine.py", TOOLS)
    home.scripted([{"call": "shout", "arguments": {"text": "hey"}}], "Done.")

    assert home.ask("Shout hey.") == (0, "Done.\n", "")

    assert home.said()[2] == ("tool", "HEY")


def test_what_a_tool_prints_is_not_the_answer(home):
    home.write(
        "tools/loud.py",
        "import subprocess\nfrom tui.tools import tool\n\n@tool\ndef loud() -> str:\n"
        '    """Make noise."""\n    print("noise", flush=True)\n'
        '    subprocess.run(["echo", "more"])\n    return "ok"\n',
    )
    home.scripted([{"call": "loud"}], "Done.")

    done = home.ask("Be loud.")

    assert done == (0, "Done.\n", "noise\nmore\n")


def test_a_failing_tool_is_told_to_the_model_and_not_to_the_reader(home):
    home.write(
        "tools/bad.py",
        "from tui.tools import tool\n\n@tool\ndef bad() -> str:\n"
        '    """Fail."""\n    raise ValueError("no luck")\n',
    )
    home.scripted([{"call": "bad"}], [{"call": "missing"}], "I could not.")

    assert home.ask("Try.") == (0, "I could not.\n", "")

    told = [text for role, text in home.said() if role == "tool"]
    assert "no luck" in told[0]
    assert "missing" in told[1]
    assert "Traceback" not in "".join(told)


def test_a_failure_exits_with_1_and_keeps_what_was_said(home):
    home.scripted([{"text": "Half an"}, {"error": "The line went dead."}])

    assert home.ask("hi") == (1, "Half an\n", "lazychat: The line went dead.\n")

    assert home.said()[-1] == ("assistant", "Half an")


def test_the_length_limit_is_told(home):
    home.scripted([{"text": "And so"}, {"finish": "length"}])

    done = home.ask("hi")

    assert done[:2] == (0, "And so\n")
    assert "length limit" in done.err


def test_an_interrupt_keeps_what_was_said(home, server):
    home.server(server.url)
    server.answer(text("Half an"), Stall())
    asking = home.start("-m", "tui", "ask", "hi")
    assert read(asking.stdout, 7) == b"Half an"

    asking.send_signal(signal.SIGINT)

    assert end(asking) == (130, "\n", "")
    server.wait_gone()
    last = home.entries()[-1]
    assert (last.message.text, last.finish_reason) == ("Half an", "cancelled")


def test_what_a_killed_ask_has_said_is_gone_on_with(home):
    home.scripted([{"text": "Half an"}, {"pause": LIMIT}])
    asking = home.start("-m", "tui", "ask", "hi")
    assert read(asking.stdout, 7) == b"Half an"
    asking.kill()
    end(asking)
    home.scripted("Whole.")

    assert home.ask("-c", "go on") == (0, "Whole.\n", "")

    assert [text for _, text in home.said()] == ["hi", "Half an", "go on", "Whole."]
    assert home.entries()[1].finish_reason == "interrupted"


def test_an_interrupt_while_another_answer_is_waited_for_ends_it(home):
    home.scripted([{"text": "Half an"}, {"pause": LIMIT}])
    first = home.start("-m", "tui", "ask", "hi")
    read(first.stdout, 7)
    second = home.start("-m", "tui", "ask", "-c", "and then?")
    wait_for(home, lambda event: told(event) == Message("user", "and then?"))
    assert second.poll() is None

    second.send_signal(signal.SIGINT)

    code, out, err = end(second)
    assert (code, out) == (130, "")
    assert "This conversation has a running answer" in err
    assert first.poll() is None
    first.kill()
    end(first)


def test_an_interrupt_does_not_wait_for_a_tool_that_hangs(home):
    home.write(
        "tools/slow.py",
        "import threading\nfrom tui.tools import tool\n\n@tool\ndef slow() -> str:\n"
        '    """Take long."""\n    print("begun", flush=True)\n'
        "    threading.Event().wait()\n",
    )
    home.scripted([{"text": "Let me see."}, {"call": "slow"}], "Never said.")
    asking = home.start("-m", "tui", "ask", "hi")
    assert read(asking.stderr, 6) == b"begun\n"

    asking.send_signal(signal.SIGINT)

    assert end(asking) == (130, "Let me see.\n", "")
    assert [role for role, _ in home.said()] == ["user", "assistant", "tool"]


def test_an_interrupt_before_the_first_word_ends_it_too(home, server):
    home.server(server.url)
    pause = Stall()
    server.answer(before=pause)
    asking = home.start("-m", "tui", "ask", "hi")
    pause.reached()

    asking.send_signal(signal.SIGINT)

    assert end(asking) == (130, "", "")
    assert home.said() == [("user", "hi")]


def test_a_reader_that_has_enough_ends_it_cleanly(home, server):
    home.server(server.url)
    pause = Pause()
    server.answer(text("Hello"), pause, text(" there"), Stall())
    asking = home.start("-m", "tui", "ask", "hi")
    assert read(asking.stdout, 1) == b"H"

    asking.stdout.close()
    pause.go()

    _, err = asking.communicate(timeout=LIMIT)
    server.wait_gone()
    assert (asking.returncode, err) == (1, b"")
    assert home.entries()[-1].finish_reason == "cancelled"


def test_a_full_disk_behind_stdout_is_one_line(home):
    home.scripted("Hello.")
    with Path("/dev/full").open("wb") as full:
        asking = home.start("-m", "tui", "ask", "hi", stdout=full)
        _, err = asking.communicate(timeout=LIMIT)

    assert (asking.returncode, err.decode().splitlines()) == (
        1,
        ["lazychat: Cannot write the answer: No space left on device."],
    )


def test_a_store_that_takes_no_more_does_not_end_the_answer(home):
    """A limit on the size of files, of those in the temporary folder too."""
    home.scripted([{"text": "word "}] * 20_000)
    limited = (
        "import resource, sys; from tui.cli import main; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (250_000, 250_000)); "
        'sys.exit(main(["ask", "hi"]))'
    )

    done = home.python("-c", limited)

    assert (done.code, done.out) == (0, "word " * 20_000 + "\n")
    cannot, lost = done.err.splitlines()
    assert "new messages are kept in a file in" in cannot
    assert "The latest messages" in lost
    assert home.records()


def test_c_goes_on_with_the_last_conversation(home):
    home.scripted("I am one.")
    home.ask("first")
    home.scripted("I am two.")

    assert home.ask("-c", "second") == (0, "I am two.\n", "")

    assert [text for _, text in home.said()] == [
        "first",
        "I am one.",
        "second",
        "I am two.",
    ]


def test_cid_goes_on_with_the_conversation_that_is_meant(home):
    home.scripted("Once.")
    home.ask("first")
    wanted = home.records()[0].conversation
    home.ask("another")

    assert home.ask("--cid", wanted[:12], "go on").out == "Once.\n"

    asked = [
        r.conversation
        for r in home.records()
        if type(r.event).__name__ == "TurnFinished"
    ]
    assert asked[0] == asked[2] == wanted
    assert asked[1] != wanted


def test_a_conversation_that_is_not_there_is_told(home):
    home.scripted("Once.")

    assert "no conversation" in complaint(home.ask("-c", "go on"), 1).lower()
    assert "'abc'" in complaint(home.ask("--cid", "abc", "go on"), 1)


def test_no_terminal_for_the_screen_points_to_ask(home):
    home.scripted("Fine.")

    said = complaint(home.run(), 2)

    assert "needs a terminal" in said
    assert "lazychat ask" in said


def test_help_and_version_need_nothing(home):
    home.config("this is no TOML")

    assert home.run("--version").out.startswith("lazychat ")
    assert "ask" in home.run("--help").out
    assert "--no-stream" in home.ask("--help").out


def test_what_the_encoding_cannot_say_does_not_end_the_answer(home):
    home.scripted("Größe: 東京")

    done = home.ask("hi", env={"PYTHONIOENCODING": "ascii"})

    assert done == (0, "Gr??e: ??\n", "")


def test_half_a_character_of_a_tool_breaks_nothing(home):
    home.write(
        "tools/names.py",
        "from tui.tools import tool\n\n@tool\ndef names() -> str:\n"
        '    """Names of files."""\n    return "caf\\udce9"\n',
    )
    home.scripted([{"call": "names"}], "Done.")

    assert home.ask("List.") == (0, "Done.\n", "")

    assert home.said()[2] == ("tool", "caf?")


@needs_starter
def test_a_newcomer_asks_for_the_weather(home):
    """No key, no configuration: the main job, from the weights that come along."""
    done = home.ask("What's the weather in Tokyo?")

    assert (done.code, done.err) == (0, "")
    assert "10" in done.out
    assert "get_current_weather" not in done.out
    asked, called, told, answered = (e.message for e in home.entries())
    assert called.tool_calls[0].name == "get_current_weather"
    assert '"temperature":"10"' in told.text
    assert answered.text == done.out.removesuffix("\n")
    assert asked.text == "What's the weather in Tokyo?"


def limited(home, limit):
    """Ask the starter under a limit of the shell's `ulimit`."""
    command = f'ulimit {limit}; exec "$0" -m tui ask -m starter hi'
    return subprocess.run(
        ["sh", "-c", command, sys.executable],
        env=home.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


@needs_starter
def test_too_many_open_files_are_one_line_that_says_so(home):
    said = []
    for most in (11, 12, 13, 14):
        done = limited(home, f"-n {most}")
        said.append(done.stderr)

        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1
        assert "bug in lazychat" not in done.stderr
    # SQLite, if it is the one that gets none, does not tell why.
    assert any("oo many open files" in line for line in said)


@needs_starter
@pytest.mark.parametrize("there", [True, False])
def test_where_no_file_can_be_written_the_answer_comes_and_lines_say_the_rest(
    home, there
):
    if there:
        EventLog(home.store).close()

    done = limited(home, "-f 0")

    assert done.returncode == 0
    assert done.stdout.strip()
    assert all(line.startswith("lazychat: ") for line in done.stderr.splitlines())


PLAN = 'Plan: Look.\n#E1 = get_current_weather[{"location": "Tokyo"}]'
ACT = 'Thought: Look.\nAction: get_current_weather\nAction Input: {"location": "Tokyo"}'
STEPS = "1. Look it up.\n2. Convert it."


@pytest.mark.parametrize(
    ("agent", "script"),
    [
        ("function_call", [[WEATHER], "It is 10 degrees."]),
        ("react", [ACT, "Thought: Yes.\nFinal Answer: It is 10 degrees."]),
        ("plan", [STEPS, [WEATHER], "10.", "50 F.", "It is 10 degrees."]),
        ("rewoo", [PLAN, "It is 10 degrees."]),
    ],
)
def test_each_agent_prints_its_answer_alone(home, agent, script):
    home.scripted(*script)

    by_flag = home.ask("--agent", agent, "Weather in Tokyo?")

    assert (by_flag.out, by_flag.err) == ("It is 10 degrees.\n", "")
    assert [role for role, _ in home.said()].count("tool") == 1
    (asked,) = [r.event for r in home.records() if isinstance(r.event, TurnRequested)]
    assert asked.agent == agent
    home.scripted(*script, more=f'agent = "{agent}"')
    by_configuration = home.ask("Weather in Tokyo?")
    assert by_configuration == by_flag


def test_an_agent_that_is_none_is_told_with_all_there_are(home):
    done = home.ask("--agent", "magic", "hi")

    assert done.code == 2
    for word in ("magic", "function_call", "react", "plan", "rewoo"):
        assert word in done.err


def test_ollama_is_asked_where_its_own_variable_says(home, server):
    server.answer(text("From there."), finish("stop"), DONE)
    home.env["OLLAMA_HOST"] = f"127.0.0.1:{server.port}"

    done = home.ask("-m", "ollama/llama3.2", "hi")

    assert (done.code, done.out) == (0, "From there.\n"), done.err
