"""The plainest honest Textual chat: a Markdown widget an answer, fed by its stream."""

import threading

from pieces import pieces
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Input, Markdown, Static
from textual.widgets.markdown import MarkdownStream


class Chat(App[None]):
    CSS = """
    Input { dock: bottom; }
    VerticalScroll { height: 1fr; }
    Markdown, Static { height: auto; }
    """
    ENABLE_COMMAND_PALETTE = False

    def compose(self) -> ComposeResult:
        yield VerticalScroll(can_focus=False)
        yield Input(placeholder="READY")

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        prompt, event.input.value = event.value, ""
        body, answer = self.query_one(VerticalScroll), Markdown()
        await body.mount(Static(f"> {prompt}"), answer)
        stream = Markdown.get_stream(answer)
        body.anchor()
        threading.Thread(target=self.work, args=(prompt, stream), daemon=True).start()

    def work(self, prompt: str, stream: MarkdownStream) -> None:
        for piece in pieces(prompt):
            self.call_from_thread(stream.write, piece)


if __name__ == "__main__":
    Chat().run()
