"""A conversation's own settings: /system and /set, kept with the conversation."""

import pytest
from support.fakes.sse_server import DONE, SSEServer, finish, text
from support.pilot import Chat, opened

from tui import conversation
from tui.messages import Message

pytestmark = pytest.mark.usefixtures("home")


def system_of(chat: Chat, request: int = -1) -> list[str]:
    messages = chat.model.requests[request].messages
    return [m.text for m in messages if m.role == "system"]


async def answered(chat: Chat, count: int = 1) -> None:
    await chat.until(lambda: len(chat.screen.presenter.answers) >= count)
    await chat.ready()


async def test_a_system_prompt_is_sent_first_and_survives_the_program() -> None:
    async with opened(["One", "Two"], 'system = "Be kind."') as chat:
        await chat.ask("/system Be brief.\nIn *French*.")
        await chat.until("System prompt set")
        await chat.ask("Hello")
        await answered(chat)
        id = chat.screen.conversation
        assert system_of(chat) == ["Be brief.\nIn *French*."]
        assert chat.model.requests[0].messages[0].role == "system"

    async with opened(["Three", "Four"], 'system = "Be kind."', id=id) as chat:
        await chat.until("Hello")
        await chat.ask("Again")
        await answered(chat, 2)
        assert system_of(chat) == ["Be brief.\nIn *French*."]

        await chat.ask("/system default")
        await chat.until("System prompt reset")
        await chat.ask("Once more")
        await answered(chat, 3)
        assert system_of(chat) == ["Be kind."]


async def test_the_system_prompt_is_put_into_the_composer_to_be_changed() -> None:
    async with opened([], 'system = "Be kind."') as chat:
        await chat.ask("/system")
        await chat.until(lambda: chat.screen.composer.text == "/system Be kind.")


async def test_the_sidebar_shows_what_is_set() -> None:
    async with opened(["One"]) as chat:
        await chat.ask("/system Speak like a \x1b[31mpirate")
        await chat.ask("/set temperature 0.2")
        await chat.until("temperature = 0.2 in this")
        if "Tools" not in chat.text:
            await chat.pilot.press("f2")
        await chat.until("Speak like a")
        await chat.until("temperature = 0.2")
        assert "\x1b" not in chat.text


async def test_settings_alone_are_no_conversation() -> None:
    async with opened(["One"]) as chat:
        await chat.ask("/set top_p 0.5")
        await chat.until("top_p = 0.5")
        assert conversation.recent(chat.host.log) == []

        await chat.ask("Hello")
        await answered(chat)
        log, id = chat.host.log, chat.screen.conversation
        assert conversation.fold(log.read(id)).configured.options == {"top_p": 0.5}


async def test_bad_options_are_refused_and_the_others_stay() -> None:
    async with opened(["One"]) as chat:
        await chat.ask("/set temperature 0.2")
        await chat.until("temperature = 0.2 in this")
        for typed, why in [
            ("/set temperature hot", "temperature must be a number"),
            ("/set max_tokens 0", "max_tokens must be 1 or more"),
            ("/set a{b 1", "/set takes a name and a value"),
        ]:
            await chat.ask(typed)
            await chat.until(why)
            await chat.until(lambda given=typed: chat.screen.composer.text == given)
            chat.screen.composer.load_text("")
        await chat.ask("/set")
        await chat.until("temperature = 0.2")

        await chat.ask("/set temperature default")
        await chat.until("temperature reset")
        assert chat.screen.settings.current.options == {}


async def test_an_option_that_looks_mistyped_is_set_and_that_is_said() -> None:
    async with opened([]) as chat:
        await chat.ask("/set temprature 0.2")
        await chat.until('temprature = 0.2 in this conversation. Did you mean "temp')
        await chat.ask("/set tfs_z 1")
        await chat.until("tfs_z = 1 in this conversation")
        assert "Did you mean" not in chat.text


async def test_options_go_before_those_of_the_configuration() -> None:
    with SSEServer() as server:
        server.answer(text("Hi."), finish(), DONE)
        toml = (
            'model = "m"\n[models.m]\nprovider = "openai"\nmodel = "x"\n'
            f'base_url = "{server.url}"\noptions = {{ temperature = 1.0, top_p = 0.9 }}'
        )
        async with opened([], toml) as chat:
            await chat.ask("/set temperature 0.2")
            await chat.until("temperature = 0.2")
            await chat.ask('/set stop ["END"]')
            await chat.until("stop =")
            await chat.ask("Hello")
            await chat.until("Hi.")
            await chat.ready()

        sent = next(r.json for r in server.requests if r.body)
        assert (sent["temperature"], sent["top_p"], sent["stop"]) == (0.2, 0.9, ["END"])


async def test_an_exported_conversation_keeps_its_settings() -> None:
    async with opened(["One"]) as chat:
        await chat.ask("/system Be brief.")
        await chat.until("System prompt set")
        await chat.ask("Hello")
        await answered(chat)
        log, id = chat.host.log, chat.screen.conversation
        text = conversation.export_json(log, id)

        (copy,) = conversation.import_json(log, text)

        assert conversation.fold(log.read(copy)).configured.system == "Be brief."
        assert Message("user", "Hello") in conversation.fold(log.read(copy)).messages()
