"""The starter model as a whole, on its real weights."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from starter_eval import decide as decide_in
from starter_eval import decisions, load
from support import ROOT

from tui.agents import SummaryAgent
from tui.errors import Cancelled, ModelError
from tui.events import (
    Event,
    NoticeGiven,
    TextDelta,
    ToolCallOpened,
    UsageReported,
)
from tui.messages import Message, Reply, ToolCall, ToolSchema
from tui.models.starter import StarterModel
from tui.models.starter.arguments import Draft
from tui.models.starter.decide import decide
from tui.models.starter.intent import asks_who
from tui.models.starter.numbers import numbers
from tui.models.starter.parameters import Subject
from tui.tools import weather
from tui.tools.registry import builtin
from tui.turn import Cancellation, Turn

pytest.importorskip("llama_cpp", reason="needs the extra `local`")

WEATHER = ToolSchema(
    "get_current_weather",
    "Get the current weather in a given location",
    {
        "type": "object",
        "properties": {
            "location": {
                "type": "string",
                "description": "The city and state, e.g. San Francisco, CA.",
            },
            "unit": {"type": "string", "enum": ["fahrenheit", "celsius"]},
        },
        "required": ["location"],
    },
    ("weather", "天气"),
)
TIMER = ToolSchema(
    "set_timer",
    "Start a countdown timer.",
    {
        "type": "object",
        "properties": {
            "minutes": {"type": "integer", "description": "How many minutes to wait."}
        },
        "required": ["minutes"],
    },
    ("timer", "计时"),
)
TOOLS = (WEATHER, TIMER)
TUNING = ROOT / "tests" / "data"


@pytest.fixture(scope="module")
def model() -> Iterator[StarterModel]:
    model = StarterModel()
    yield model
    model.close()


def collect(
    model: StarterModel,
    messages: Sequence[Message],
    tools: Sequence[ToolSchema] = (),
    turn: Turn | None = None,
) -> tuple[list[Event], Reply]:
    stream = model.generate(messages, tools, turn or Turn("t"))
    events: list[Event] = []
    while True:
        try:
            events.append(next(stream))
        except StopIteration as end:
            return events, end.value


def builtin_schemas() -> list[ToolSchema]:
    """Return those that the starter is offered."""
    return [tool.schema for tool in builtin().values() if tool.policy == "allow"]


def weather_schemas() -> list[ToolSchema]:
    return [tool.schema for tool in weather.TOOLS]


def user(text: str) -> list[Message]:
    return [Message("user", text)]


def told(text: str, *outputs: str) -> list[Message]:
    calls = tuple(
        ToolCall(str(i), "get_current_weather", {}) for i, _ in enumerate(outputs)
    )
    results = [
        Message("tool", output, tool_call_id=str(i)) for i, output in enumerate(outputs)
    ]
    return [*user(text), Message("assistant", tool_calls=calls), *results]


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("What's the weather in Tokyo?", "get_current_weather", {"location": "Tokyo"}),
        (
            "How's the weather in New York, in celsius?",
            "get_current_weather",
            {"location": "New York", "unit": "celsius"},
        ),
        ("北京今天天气怎么样？", "get_current_weather", {"location": "北京"}),
        ("Set a timer for twenty-five minutes", "set_timer", {"minutes": 25}),
        ("start a timer for half an hour", "set_timer", {"minutes": 30}),
        ("帮我计时十五分钟", "set_timer", {"minutes": 15}),
    ],
)
def test_request_is_answered_by_a_call_and_nothing_else(
    model: StarterModel, text: str, name: str, arguments: dict[str, object]
) -> None:
    events, reply = collect(model, user(text), TOOLS)

    assert events == [ToolCallOpened("t.1")]
    assert reply.finish_reason == "tool_calls"
    assert reply.message.text == ""
    assert [(c.name, c.arguments) for c in reply.message.tool_calls] == [
        (name, arguments)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Hello!",
        "I like Tokyo weather",
        "No need to look up the weather in Rome.",
        "Don't set a timer for 10 minutes.",
        "我喜欢北京的天气",
        "不用查天气了",
    ],
)
def test_message_that_asks_for_no_tool_is_answered_by_text(
    model: StarterModel, text: str
) -> None:
    stream = model.generate(user(text), TOOLS, Turn())
    first = next(e for e in stream if not isinstance(e, NoticeGiven))
    stream.close()

    assert isinstance(first, TextDelta)


def test_two_places_give_two_calls(model: StarterModel) -> None:
    _, reply = collect(model, user("What's the weather in Paris and Tokyo?"), TOOLS)

    assert [c.arguments for c in reply.message.tool_calls] == [
        {"location": "Paris"},
        {"location": "Tokyo"},
    ]
    assert len({c.id for c in reply.message.tool_calls}) == 2


def test_two_requests_give_two_calls(model: StarterModel) -> None:
    text = "What's the weather in Oslo, and set a timer for 5 minutes"

    _, reply = collect(model, user(text), TOOLS)

    assert [(c.name, c.arguments) for c in reply.message.tool_calls] == [
        ("get_current_weather", {"location": "Oslo"}),
        ("set_timer", {"minutes": 5}),
    ]


def test_short_question_goes_on_with_the_last_call(model: StarterModel) -> None:
    call = ToolCall("1", WEATHER.name, {"location": "Tokyo", "unit": "celsius"})
    before = [
        Message("user", "What's the weather in Tokyo in celsius?"),
        Message("assistant", tool_calls=(call,)),
        Message("tool", '{"temperature": "10"}', tool_call_id="1"),
        Message("assistant", "It is 10."),
    ]

    _, reply = collect(model, [*before, *user("And in Paris?")], TOOLS)

    assert reply.message.tool_calls[0].arguments == {
        "location": "Paris",
        "unit": "celsius",
    }


def test_tool_that_needs_a_number_is_not_called_without_one(
    model: StarterModel,
) -> None:
    _, reply = collect(model, user("Please set a timer"), (TIMER,))

    assert reply.message.tool_calls == ()


def test_result_is_told_with_its_figures(model: StarterModel) -> None:
    output = '{"location": "Tokyo", "temperature": "10", "unit": "celsius"}'

    events, reply = collect(model, told("What's the weather in Tokyo?", output), TOOLS)

    said = reply.message.text
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == said
    assert "10" in said
    assert "celsius" in said.lower()


def test_a_sentence_that_a_tool_gives_is_told_as_it_is(model: StarterModel) -> None:
    output = '{"time": "05:22", "sentence": "It is 05:22."}'

    _, english = collect(model, told("What time is it?", output))
    _, chinese = collect(model, told("现在几点？", output))

    assert english.message.text == "It is 05:22."
    assert chinese.message.text == "结果：time: 05:22"


def test_the_result_for_a_long_message_is_told(model: StarterModel) -> None:
    text = "I have been to many towns. " * 200 + "What's the weather in Tokyo?"
    output = '{"location": "Tokyo", "temperature": "10", "unit": "celsius"}'

    _, reply = collect(model, told(text, output), TOOLS)

    assert "10" in reply.message.text


def test_every_one_of_several_results_is_told(model: StarterModel) -> None:
    outputs = ['{"city": "Oslo", "degrees": -7}', '{"city": "Rome", "degrees": 31}']

    _, reply = collect(model, told("How warm are Oslo and Rome?", *outputs), TOOLS)

    assert "-7" in reply.message.text
    assert "31" in reply.message.text


def test_failed_tool_is_told_plainly(model: StarterModel) -> None:
    output = "Error: get_current_weather failed: no such place: Atlantis"

    _, reply = collect(model, told("Weather in Atlantis?", output), TOOLS)

    assert reply.message.text == (
        "That did not work. get_current_weather failed: no such place: Atlantis"
    )


@pytest.mark.parametrize(
    "question",
    [
        "Who are you?",
        "Hi, who are you?",
        "Tell me who you are",
        "What's your name?",
        "What should I call you?",
        "Do you have a name?",
        "What can you do?",
        "What can't you do?",
        "What kind of things can you help with?",
        "How can you help me?",
        "What skills do you have?",
        "Which skills have you got?",
        "Do you have any skills?",
        "Can you use tools?",
        "What are your limitations?",
        "Are you ChatGPT?",
        "Are you an AI or a human?",
        "Were you made by Google?",
        "What version of GPT are you?",
        "Which model are you?",
        "What model am I talking to?",
        "Tell me about yourself",
        "How many parameters do you have?",
        "Who made you?",
        "Which company made you?",
        "Who is your creator?",
        "你是谁？",
        "你是ChatGPT吗？",
        "你有什么技能？",
        "Do you speak Chinese?",
        "Are you running on my computer?",
        "How do I add a better model?",
        "你会说中文吗？",
        "你能帮我做什么？",
    ],
)
def test_it_says_what_it_is(model: StarterModel, question: str) -> None:
    _, reply = collect(model, user(question), builtin_schemas())

    assert "lazychat" in reply.message.text
    assert reply.message.tool_calls == ()


@pytest.mark.parametrize(
    "question",
    [
        "What are you doing tonight?",
        "What do you know about Rome?",
        "What skills do I need for a job in a bank?",
        "Which model of bicycle is the lightest?",
        "What can you do with old bread?",
        "How big are you planning to go?",
        "Are you sure?",
        "What tools do carpenters have?",
        "Do you understand how planes fly?",
        "How do I change the model number of a part?",
    ],
)
def test_questions_about_other_things_are_not_about_itself(question: str) -> None:
    assert not asks_who(question)


@pytest.mark.parametrize(
    "question",
    [
        "What's 17% of 2340?",
        "What is 17 percent of 2340?",
        "What is 3 times 7?",
        "How much is seven times eight?",
        "What is the square root of 144?",
        "Add 17 and 25",
        "Multiply 6 by 7",
        "2340的17%是多少？",
        "How many seconds are there in 2 days?",
        "How many ounces are in 2 pounds?",
    ],
)
def test_arithmetic_is_no_question_for_a_tool_without_it(
    model: StarterModel, question: str
) -> None:
    assert not decided(model, question, weather_schemas())


@pytest.mark.parametrize(
    ("question", "tool", "arguments"),
    [
        ("What time is it in Tokyo?", "current_time", {"place": "Tokyo"}),
        ("What time is it?", "current_time", {}),
        ("What day is it today?", "current_time", {}),
        ("What's the time in New York now?", "current_time", {"place": "New York"}),
        ("纽约现在几点", "current_time", {"place": "纽约"}),
        ("巴黎今天冷吗？", "get_current_weather", {"location": "巴黎"}),
        ("旧金山现在多少度", "get_current_weather", {"location": "旧金山"}),
        ("What's 17% of 2340?", "calculate", {"expression": "17% of 2340"}),
        ("What is 12 times 8?", "calculate", {"expression": "12 * 8"}),
        ("What is two plus three?", "calculate", {"expression": "2 + 3"}),
        ("Multiply 23 by 17", "calculate", {"expression": "23 * 17"}),
        ("144的平方根是多少", "calculate", {"expression": "sqrt(144)"}),
        ("How many miles is 10 km?", "calculate", {"expression": "10 km in miles"}),
        ("How many days in 2 weeks?", "calculate", {"expression": "2 weeks in days"}),
        ("72 F in celsius", "calculate", {"expression": "72 F in celsius"}),
        ("5 ft 11 in to cm", "calculate", {"expression": "5 ft 11 in to cm"}),
        ("10公里是多少英里？", "calculate", {"expression": "10 km in miles"}),
        ("Roll two dice", "roll_dice", {"count": 2}),
        ("Roll 2d6+3", "roll_dice", {"count": 2, "sides": 6, "modifier": 3}),
        ("Roll a d20", "roll_dice", {"sides": 20}),
        ("Roll 3 twenty-sided dice", "roll_dice", {"count": 3, "sides": 20}),
        ("What's the weather in Tokyo?", "get_current_weather", {"location": "Tokyo"}),
        (
            "Convert 18:30 from New York to Berlin",
            "convert_time",
            {"time": "18:30", "from_place": "New York", "to_place": "Berlin"},
        ),
    ],
)
def test_the_bundled_tools_are_called_for_what_they_are_for(
    model: StarterModel, question: str, tool: str, arguments: dict[str, object]
) -> None:
    (call,) = decided(model, question, builtin_schemas())

    assert (call.name, call.arguments) == (tool, arguments)


@pytest.mark.parametrize(
    "question",
    [
        "写一首关于时间的诗",
        "How does a thermometer measure heat?",
        "I have 3 cats",
        "How long is a mile?",
        "Give me 3 tips for sleeping",
    ],
)
def test_a_number_or_a_word_alone_calls_no_tool(
    model: StarterModel, question: str
) -> None:
    assert not decided(model, question, builtin_schemas())


@pytest.mark.parametrize(
    "question",
    [
        "How many people live in Paris?",
        "What can you see in Beijing?",
        "Is there a metro in Beijing?",
        "What museums are open in Paris?",
    ],
)
def test_a_place_alone_calls_no_tool(model: StarterModel, question: str) -> None:
    assert not decided(model, question, builtin_schemas())


@pytest.mark.parametrize(
    "question", ["Is it raining in Paris?", "Do I need a coat in Paris?"]
)
def test_a_tool_that_is_not_named_is_found(model: StarterModel, question: str) -> None:
    (call,) = decided(model, question, builtin_schemas())

    assert (call.name, call.arguments) == ("get_current_weather", {"location": "Paris"})


def test_chinese_request_finds_a_tool_by_its_english_words_alone(
    model: StarterModel,
) -> None:
    tools = [ToolSchema(tool.name, tool.description, tool.parameters) for tool in TOOLS]

    [weather] = decided(model, "北京今天天气怎么样？", tools)
    [timer] = decided(model, "帮我计时十五分钟", tools)

    assert (weather.name, weather.arguments) == (WEATHER.name, {"location": "北京"})
    assert (timer.name, timer.arguments) == (TIMER.name, {"minutes": 15})


def test_chat_is_short_and_does_not_go_in_circles(model: StarterModel) -> None:
    _, reply = collect(model, user("What is the capital of France?"))

    assert "Paris" in reply.message.text
    assert len(reply.message.text) < 400


def test_it_says_once_that_it_hardly_speaks_chinese() -> None:
    model = StarterModel()
    try:
        first, _ = collect(model, user("讲个笑话"))
        second, _ = collect(model, user("再讲一个"))
    finally:
        model.close()

    assert [type(e) for e in first].count(NoticeGiven) == 1
    assert [type(e) for e in second].count(NoticeGiven) == 0


def test_fixed_prompts_are_read_once_and_then_taken_from_disk(home: Path) -> None:
    answers: list[tuple[int, str]] = []
    for _ in range(2):
        fresh = StarterModel()
        fresh.load()
        events, reply = collect(fresh, user("What is the capital of France?"))
        [usage] = [e for e in events if isinstance(e, UsageReported)]
        answers.append((usage.cached_tokens, reply.message.text))
        fresh.warm(TOOLS, "", Cancellation())
        fresh.close()

    (cold, said), (warm, said_again) = answers
    assert (cold, said) == (0, said_again)
    assert warm > 40


def test_cancelled_turn_stops_before_it_decides(model: StarterModel) -> None:
    turn = Turn()
    turn.cancel.request()

    with pytest.raises(Cancelled):
        ask_with(model, "What's the weather in Tokyo?", turn)


def decided(
    model: StarterModel, text: str, tools: Sequence[ToolSchema]
) -> Sequence[ToolCall]:
    return decide_in(model, text, tools).message.tool_calls


def ask_with(
    model: StarterModel, text: str, turn: Turn, tools: Sequence[ToolSchema] = TOOLS
) -> Reply:
    return collect(model, user(text), tools, turn)[1]


def test_a_call_among_hundred_tools_is_found_in_a_moment() -> None:
    tools = [
        WEATHER,
        *(
            ToolSchema(f"tool_{i}", f"Do the thing number {i}", TIMER.parameters)
            for i in range(100)
        ),
    ]
    began = time.thread_time()

    (choice,) = decide("What's the weather in Tokyo, say?", tools)

    assert choice.tool == "get_current_weather"
    assert time.thread_time() - began < 0.15


@pytest.mark.parametrize(
    "text",
    ["How much is 250 US dollars in euros?", "What is 300 GBP in JPY?", "5 recipes"],
)
def test_a_number_of_other_things_is_no_time(text: str) -> None:
    assert not Draft(Subject(TIMER), text).possible


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("a timer, 5 please", 5),
        ("a 5 minute timer", 5),
        ("a timer for 3 hours", 180),
    ],
)
def test_a_number_with_a_unit_or_alone_is_a_time(text: str, minutes: int) -> None:
    assert Draft(Subject(TIMER), text).values == {"minutes": minutes}


def test_a_number_and_its_unit_may_fill_two_parameters() -> None:
    properties = {
        "duration": {"type": "integer", "description": "How long."},
        "unit": {"type": "string", "enum": ["seconds", "minutes"]},
    }
    schema = {"type": "object", "properties": properties, "required": ["duration"]}
    tool = ToolSchema("set_timer", "Start a countdown timer.", schema)

    (choice,) = decide("Start a countdown of forty-five seconds", [tool])

    assert choice.arguments == {"duration": 45, "unit": "seconds"}


def test_chinese_list_of_places_gives_two_calls() -> None:
    choices = decide("北京和上海天气怎么样", TOOLS)

    assert [c.arguments for c in choices] == [
        {"location": "北京"},
        {"location": "上海"},
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("two hundred and five", 205),
        ("one hundred thousand", 100_000),
        ("half a dozen", 6),
        ("2,500", 2500),
        ("5k", 5000),
        ("一百零五", 105),
        ("一万两千", 12_000),
        ("二零二六", 2026),
        ("半小时", 0.5),
    ],
)
def test_numbers_are_read_in_digits_and_words(text: str, value: float) -> None:
    assert [number.value for number in numbers(text)] == [value]


def test_tuning_set_stays_above_its_floor(model: StarterModel) -> None:
    # A third of one set, to see that it has not become worse; all of them are in
    # starter_eval.py.
    cases = load(TUNING / "starter_tuning.json")
    cases["prompts"] = cases["prompts"][::3]

    right, total = decisions(model, cases, keywords=True)

    assert right["all"] / total["all"] >= 0.88, (right, total)


def test_a_long_conversation_keeps_the_examples_and_tells_what_it_lost() -> None:
    small = StarterModel(context=512)
    messages: list[Message] = []
    for n in range(8):
        messages.append(Message("user", f"Tell me of {n}. " + "word " * 50))
        messages.append(Message("assistant", "No."))
    messages.append(Message("user", "Hello"))
    turn = Turn("t")
    turn.sources = [(f"m{n}", message) for n, message in enumerate(messages)]

    events, _ = collect(small, messages, turn=turn)
    small.close()

    [notice] = [e for e in events if isinstance(e, NoticeGiven)]
    assert notice.first_message_id == f"m{notice.left_out}"
    assert 8 <= notice.left_out <= 14
    assert small.window == 512


def test_it_does_not_pretend_to_sum_up(model: StarterModel) -> None:
    messages = [Message(r, "Hi.") for _ in range(4) for r in ("user", "assistant")]

    with pytest.raises(ModelError, match="starter is too small to summarise"):
        list(SummaryAgent(model).run(messages))
