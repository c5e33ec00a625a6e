"""The app in a real browser: the tutorial's programs and `lazychat serve`."""

from pathlib import Path

import pytest
from support import ROOT
from support.browser import CHROMIUM, Forward, Page, Program, needs_chromium
from support.fakes.lazychat import Home, needs_starter
from support.fakes.sse_server import DONE, Pause, call, calls, finish, text
from support.terminal import wait_until

pytestmark = needs_chromium
PROGRAMS = ROOT / "tests" / "programs"


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.fixture
def home(tmp_path):
    with Home(tmp_path) as home:
        yield home


@pytest.fixture
def browser(chromium):
    """Open pages: `browser(width, height)` is a page of a new window."""
    contexts = []

    def open(width=1100, height=700, **more):
        size = {"width": width, "height": height}
        contexts.append(chromium.new_context(viewport=size, **more))
        return Page(contexts[-1].new_page())

    yield open
    for context in contexts:
        context.close()


def serve(home, program, *arguments):
    return Program(home.start("-u", PROGRAMS / program, *arguments, "0"))


@pytest.fixture
def model(home, server):
    """The tutorial's second program, with a server as its model."""
    home.env |= {"OPENAI_API_KEY": "sk-secret", "OPENAI_BASE_URL": server.url}
    return serve(home, "web_model.py", "online")


def test_an_answer_streams_into_the_page_and_survives_a_reload(model, server, browser):
    pause = Pause()
    server.answer(text("I can "), text("sing"), pause, text(" & dance <."), finish())
    page = browser().open(model.url)
    address = page.page.url
    assert address.startswith(f"{model.base}/c/")

    page.ask("Skills?").wait_for("I can sing")
    page.page.reload()
    page.wait_for("I can sing")
    assert "dance" not in page.text
    pause.go()
    page.wait_for("I can sing & dance <.").wait_for("ready")

    assert page.page.url == address
    assert server.requests[0].json["messages"] == [
        {"role": "user", "content": "Skills?"}
    ]
    assert not server.gone.is_set()
    assert page.errors == []
    assert {url.startswith((model.base, "data:")) for url in page.requests} == {True}
    assert model.interrupt() == 0


def test_a_closed_page_ends_its_process_and_not_the_answer(model, server, browser):
    pause = Pause()
    server.answer(text("Begun"), pause, text(" and ended."), finish())
    page = browser().open(model.url)
    address = page.page.url
    [child] = model.children
    environment = Path(f"/proc/{child}/environ").read_bytes()
    assert b"sk-secret" not in environment
    assert b"LAZYCHAT_CONVERSATION=" in environment

    page.ask("Hello?").wait_for("Begun")
    page.page.goto("about:blank")
    wait_until(lambda: not model.children)
    pause.go()

    page.page.goto(address)
    page.wait_for("Begun and ended.")


def test_the_stream_switch_acts_on_the_next_answer(model, server, browser):
    pause = Pause()
    server.answer(text("Not yet "), pause, text("whole."), finish())
    page = browser().open(model.url)
    page.press("F2").wait_for("● on")

    page.press("F8").wait_for("○ off")
    page.ask("Hello?")
    pause.reached()
    page.press("F3").wait_for("Debug · ")
    assert "Not yet" not in page.text
    pause.go()

    page.wait_for("Not yet whole.")


def test_a_call_is_only_in_the_debug_panel(home, server, browser):
    home.env |= {"OPENAI_API_KEY": "sk-1", "OPENAI_BASE_URL": server.url}
    server.answer(
        text("Let me look. <tool_"),
        text('call>\n{"name": "get_current_weather", "arguments": '),
        text('{"location": "Tokyo"}}\n</tool_call>'),
        finish(),
        DONE,
    )
    server.answer(text("10 degrees."), finish(), DONE)
    program = serve(home, "web_agent.py", "online")
    page = browser().open(program.url)
    page.press("F2").wait_for("● get_current_weather")
    page.press("Escape")

    page.ask("Weather?").wait_for("10 degrees.")
    assert "Let me look." in page.text
    for leak in ("tool_call", "Tokyo", '"name"'):
        assert leak not in page.text
    page.press("F3").wait_for("Tokyo")

    assert [t["function"]["name"] for t in server.requests[0].json["tools"]] == [
        "get_current_weather",
        "get_n_day_weather_forecast",
    ]


def test_an_agent_that_traces_answers_behind_a_page(home, server, browser):
    home.env |= {"OPENAI_API_KEY": "sk-1", "OPENAI_BASE_URL": server.url}
    server.answer(
        text("Let me look."),
        calls(call(0, "a", "get_current_weather", '{"location": "Tokyo"}')),
        finish("tool_calls"),
        DONE,
    )
    server.answer(text("10 degrees."), finish(), DONE)
    program = serve(home, "web_traced.py", "online")
    page = browser().open(program.url)

    page.ask("Weather?").wait_for("10 degrees.")
    assert "Tokyo" not in page.text
    page.press("F3").wait_for("Tokyo")

    assert program.interrupt() == 0


def test_a_tool_that_is_switched_off_is_not_offered(home, server, browser):
    home.env |= {"OPENAI_API_KEY": "sk-1", "OPENAI_BASE_URL": server.url}
    server.answer(text("Fine."), finish(), DONE)
    program = serve(home, "web_agent.py", "online")
    page = browser().open(program.url)

    page.press("F2").wait_for("● get_n_day")
    page.page.get_by_text("●").last.click(force=True)
    page.wait_for("○ get_n_day")
    page.press("Escape").ask("Weather?").wait_for("Fine.")

    [tool] = server.requests[0].json["tools"]
    assert tool["function"]["name"] == "get_current_weather"


def test_two_windows_have_conversations_of_their_own(model, server, browser):
    pause = Pause()
    server.answer(text("To the first."), pause, finish(), DONE)
    server.answer(text("To the second."), finish(), DONE)
    first, second = browser().open(model.url), browser().open(model.url)
    assert first.page.url != second.page.url

    first.ask("One?").wait_for("To the first.")
    second.ask("Two?").wait_for("To the second.")
    pause.go()
    first.wait_for("ready")

    assert "second" not in first.text
    assert "first" not in second.text


def test_two_pages_stream_side_by_side(model, server, browser):
    pauses = Pause(), Pause()
    for pause, word in zip(pauses, ("Red", "Blue"), strict=True):
        server.answer(text(f"{word} "), pause, text(f"{word} again."), finish(), DONE)
    pages = browser().open(model.url), browser().open(model.url)

    pages[0].ask("One?").wait_for("Red")
    pages[1].ask("Two?").wait_for("Blue")
    for pause in reversed(pauses):
        pause.go()
    pages[0].wait_for("Red Red again.")
    pages[1].wait_for("Blue Blue again.")

    assert "Blue" not in pages[0].text
    assert "Red" not in pages[1].text


def test_a_streamed_answer_costs_few_bytes(model, server, browser):
    """500 tokens, five by five, each five on the screen before the next ones come."""
    words = [f"word{n:03} " for n in range(500)]
    fives = ["".join(words[n : n + 5]) for n in range(0, 500, 5)]
    pauses = [Pause() for _ in fives]
    steps = [
        step for each in zip(map(text, fives), pauses, strict=True) for step in each
    ]
    server.answer(*steps, finish(), DONE)
    received: list[int] = []
    page = browser(1100, 900)
    page.page.on(
        "websocket",
        lambda socket: socket.on(
            "framereceived", lambda frame: received.append(len(frame))
        ),
    )
    page.open(model.url)

    page.ask("Words?").wait_for("word004")
    before = sum(received)
    for number, pause in enumerate(pauses[:-1], 1):
        pause.go()
        page.wait_for(f"word{5 * number + 4:03}")
    used = sum(received) - before
    pauses[-1].go()

    assert sum(map(len, fives[1:])) < used < 2 * sum(map(len, fives[1:]))


def test_a_page_without_the_token_or_from_elsewhere_starts_nothing(model, browser):
    stranger = browser().page

    assert stranger.goto(f"{model.base}/").status == 403
    assert stranger.goto(f"{model.base}/?t=wrong").status == 403
    host = model.base.removeprefix("http://127.0.0.1")
    foreign = browser().open(model.url).page
    foreign.goto(model.base.replace("127.0.0.1", "localhost") + "/")
    refused = foreign.evaluate(
        """address => new Promise(done => {
            const socket = new WebSocket(address);
            socket.onopen = () => done("open");
            socket.onerror = () => done("refused");
        })""",
        f"ws://127.0.0.1{host}/c/abc/ws",
    )
    assert refused == "refused"
    wait_until(lambda: not model.children)


def test_a_phone_shows_80_columns(model, browser):
    phone = browser(390, 844, device_scale_factor=3, is_mobile=True, has_touch=True)
    phone.open(model.url)

    widest = max(len(row) for row in phone.rows)
    inside = phone.page.evaluate(
        "document.querySelector('.xterm-screen').getBoundingClientRect().width"
    )
    assert widest >= 78
    assert inside <= 390


def test_behind_another_port_a_lost_connection_is_made_again(model, server, browser):
    pause = Pause()
    server.answer(text("Begun"), pause, text(" and ended."), finish())
    link = Forward(int(model.base.rpartition(":")[2]))
    page = browser().open(
        f"http://localhost:{link.port}/?{model.url.partition('?')[2]}"
    )
    page.ask("Hello?").wait_for("Begun")
    [child] = model.children

    link.drop()
    wait_until(lambda: child not in model.children)
    pause.go()

    page.wait_for("Begun and ended.")
    assert page.notice == ""
    link.close()
    page.wait_for(lambda p: "trying again" in p.notice)


def test_the_address_follows_the_conversation(model, server, browser):
    server.answer(text("Here I am."), finish(), DONE)
    page = browser().open(model.url)
    first = page.page.url
    page.ask("Hello?").wait_for("Here I am.")

    page.press("F10").wait_for(lambda p: p.page.url != first)
    second = page.page.url
    assert second.startswith(f"{model.base}/c/")
    page.wait_for("ready").type("draft")
    page.page.reload()
    page.wait_for("│ draft")
    assert page.page.url == second

    page.press("Control+s").wait_for("Hello?")
    page.press("Enter").wait_for(lambda p: p.page.url == first)
    page.page.reload()
    page.wait_for("Here I am.")


def test_a_page_works_through_a_port_that_ssh_forwards(
    model, server, browser, ssh_server
):
    pause = Pause()
    server.answer(text("Through "), pause, text("the tunnel."), finish(), DONE)
    with ssh_server.forward(int(model.base.rpartition(":")[2])) as port:
        page = browser().open(f"http://localhost:{port}/?{model.url.partition('?')[2]}")
        page.ask("Hello?").wait_for("Through")
        page.page.reload()
        page.wait_for("Through")
        pause.go()
        page.wait_for("Through the tunnel.")

        assert page.page.url.startswith(f"http://localhost:{port}/c/")
        assert page.errors == []


def test_who_quits_is_told_how_to_come_back(model, browser):
    page = browser().open(model.url)

    page.press("Control+q").wait_for(lambda p: "You have left" in p.notice)
    page.press("Enter").wait_for("ready")

    assert page.notice == ""


def test_what_reaches_beyond_the_page_is_refused(model, home, browser):
    page = browser().open(model.url)

    page.type("/export out.md").press("Enter").wait_for(
        "cannot be written from the browser"
    )
    page.press("Control+o").wait_for("Your editor cannot be opened from the browser")
    page.press("Control+z").wait_for("Ctrl+Z works in a terminal")

    page.wait_for("ready")
    assert not list(home.work.glob("*.md"))


def test_what_is_typed_while_the_page_starts_is_kept(model, browser):
    page = browser()
    page.page.goto(model.url)
    page.page.wait_for_selector(".xterm-helper-textarea", state="attached")

    for key in "abc":
        page.press(key)

    page.wait_for("│ abc")


def test_the_command_serves_the_app(home, browser):
    home.scripted("From the script.")
    program = Program(home.start("-m", "tui", "serve", "--port", "0"))
    page = browser().open(program.url)

    page.ask("Hello?").wait_for("From the script.")

    assert home.said() == [("user", "Hello?"), ("assistant", "From the script.")]
    assert program.interrupt() == 130


@needs_starter
def test_the_agent_answers_on_the_starter(home, browser):
    program = serve(home, "web_agent.py", "starter")
    page = browser().open(program.url)

    page.ask("What's the weather in Tokyo?").wait_for(lambda p: "10" in p.text)

    assert "get_current_weather(" not in page.text


@needs_starter
def test_the_agent_that_traces_answers_on_the_starter(home, browser):
    page = browser().open(serve(home, "web_traced.py", "starter").url)

    page.ask("What's the weather in Tokyo?").wait_for(lambda p: "10" in p.text)

    assert "get_current_weather(" not in page.text


@needs_starter
def test_the_model_answers_on_the_starter(home, browser):
    page = browser().open(serve(home, "web_model.py", "starter").url)

    page.ask("Hello!")
    wait_until(lambda: any(role == "assistant" for role, _ in home.said()))
