"""The app in Chinese, in a real terminal of 80 and 120 columns."""

import re
import signal

import pytest
from support.start import Start
from support.terminal import Terminal

# Names, keys, commands and what the user types are the same in each language.
KEYS = "Enter Esc Tab Shift Ctrl Alt Up Down End Home Space Backspace Page PageUp"
KEYS += " PageDown TITLE NAME FILE TEXT USER GGUF Hugging Face supplier model"
NAMES = "lazychat scripted starter json md toml config temperature X MCP SSH Tokyo the"
NAMES += (
    " What is time in it agent y Y b c f x r e or token low medium high default price"
)
ALLOWED = {word.lower() for word in f"{KEYS} {NAMES}".split()}


def english(terminal: Terminal) -> set[str]:
    """Return the English words on the screen that are not names."""
    text = re.sub(r"“[^”\n]*”?|/[a-z]+|l a z y c h a t", " ", terminal.text)
    words = re.findall(r"(?<![\w/.-])[A-Za-z]{2,}(?![\w/.-])", text)
    return {word for word in words if word.lower() not in ALLOWED}


def fits(terminal: Terminal, title: str) -> bool:
    """Whether the right border of a dialog is one straight line."""
    rows = [terminal.cells(number) for number in range(terminal.rows)]
    top = next(n for n in range(terminal.rows) if title in terminal.row(n))
    edge = max(n for n, cell in enumerate(rows[top]) if cell.data == "╮")
    ends = "".join(row[edge].data for row in rows[top:])
    return re.fullmatch("╮│{10,}╯.*", ends) is not None


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40)])
def test_each_screen_is_in_chinese_and_in_line(
    start: Start, columns: int, rows: int
) -> None:
    terminal = start(
        [
            {
                "steps": [
                    {"text": "好的。"},
                    {"usage": {"input_tokens": 20, "output_tokens": 3}},
                ]
            }
        ],
        columns=columns,
        rows=rows,
        config={"language": "zh"},
        environment={"LAZYCHAT_LANGUAGE": ""},
        until="消息（Enter",
    )
    terminal.wait_for("F1 帮助  F2 工具  F3 调试")
    terminal.wait_for("断开 SSH，回答照样写完")
    terminal.wait_for("所有按键和命令")
    assert english(terminal) == set()

    terminal.press("f1")
    terminal.wait_for("按键与命令")
    terminal.wait_for("上一条、下一条你发送的消息")
    assert english(terminal) == set()
    assert fits(terminal, "按键与命令")
    terminal.press("escape")
    terminal.wait_for(lambda t: "按键与命令" not in t.text)

    terminal.type("你好")
    terminal.press("enter")
    terminal.wait_for("好的。")
    terminal.wait_for("就绪")

    terminal.press("ctrl+f")
    terminal.type("好")
    terminal.wait_for("共 2 处")
    terminal.press("enter")
    terminal.wait_for("n 下一处  N 上一处")
    assert english(terminal) == set()
    terminal.press("f1")
    terminal.wait_for(lambda t: re.search("当前位置：阅读 ", t.text) is not None)
    terminal.press("escape")
    terminal.press("escape")
    terminal.wait_for("Enter 发送")

    terminal.type("/cost")
    terminal.press("enter")
    terminal.wait_for("所有对话")
    terminal.wait_for("思考")
    assert english(terminal) == set()
    assert fits(terminal, "token 与费用")
    terminal.press("escape")
    terminal.wait_for(lambda t: "所有对话" not in t.text)

    terminal.press("ctrl+s")
    terminal.wait_for("1 个对话")
    terminal.wait_for("Enter 打开")
    assert english(terminal) == set()
    terminal.press("escape")
    terminal.wait_for("Enter 发送")

    terminal.type("/foo")
    terminal.press("enter")
    terminal.wait_for("没有命令 /foo。/help 列出所有命令。")


def test_the_line_after_a_crash_is_in_chinese(start: Start) -> None:
    chinese = {"LAZYCHAT_LANGUAGE": "zh"}
    terminal = start([{"text": "好的。"}], environment=chinese, until="消息（Enter")
    terminal.settle()

    terminal.signal(signal.SIGSEGV)
    terminal.wait_closed()

    line = "lazychat 被 SIGSEGV 终止。对话已保存：运行 `lazychat` 即可继续。"
    assert line in terminal.text
