"""Splits Markdown into pieces and lays them out."""

from hypothesis import strategies as st

from tui.app.markdown import Line
from tui.app.markdown.stream import Stream

SAMPLE = """\
# Title

A **bold** claim with *emphasis*, `code`, ~~struck~~ and a [link](https://x.org/a).
中文段落也要正確換行，不可以把標點放在行首。
- one
- two **strong**
  - nested and long enough to be wrapped at the edge of the pane
    1. deep
- [ ] open
- [x] done

1. First
   ```bash
   pip install it
   ```
1. Second

   paragraph
7. Third
* other

> Quoted **text** that goes on
> > nested
lazy

| Name | Qty |
|:-----|----:|
| a    | 1   |
| 中文 | 22  |
not | last

```python
def f():
    return \"\"\"x\"\"\"


def g(): ...
```
Setext
---
***
    indented code

![alt](http://x.org/i.png)  
hard\\
break <b>html</b>

~~~
open to the end
"""
FRAGMENTS = [
    "<br>",
    "<b>b",
    "</b>",
    "x<sub>2</sub>",
    *SAMPLE.splitlines(keepends=True),
    "\n",
    "\n\n",
    "- ",
    "  - ",
    "1. ",
    "10) ",
    "> ",
    "* * *\n",
    "---\n",
    "===\n",
    "```\n",
    "````md\n",
    "~~~ py\n",
    "    ",
    "\t",
    "#",
    "## ",
    "a | b\n",
    "--|--\n",
    "| c | d |\n",
    "|",
    "**",
    "*",
    "_",
    "`",
    "[a](",
    "[a][ref]",
    "[a]: /x\n",
    '[ref]: /url "title"\n',
    "[ref] is defined\n",
    ")",
    "]",
    "<",
    "\\",
    "&amp;",
    "word ",
    "x",
    "中",
    "👩‍👩‍👧",
    "\x1b[2J",
    "- [ ] ",
    "long " * 60,
    "long **bold** " * 60 + "\n",
    "1984 numbers " * 60,
    "snake_case*" * 60,
    "- item\n" * 9,
    "| r | s |\n" * 12,
    "code()\n" * 70,
    "> quote of some length\n" * 150,
]
widths = st.sampled_from([1, 12, 40, 79])


_FEW = 500


def whole(text: str, width: int) -> list[Line]:
    """Lay out in one go: no block is put aside."""
    stream = Stream(width)
    stream.append(text)
    stream.finish()
    return stream.lines


def pieces(text: str, sizes: list[int]) -> list[str]:
    found: list[str] = []
    position = turn = 0
    while position < len(text):
        size = sizes[turn % len(sizes)]
        found.append(text[position : position + size])
        position += size
        turn += 1
    return found


def few(pieces: list[str]) -> list[str]:
    """Return the first pieces, and all that follow them as one.

    Each piece lays out an open block again: ten thousand letters of a quote, one by
    one, take a minute.
    """
    return [*pieces[:_FEW], "".join(pieces[_FEW:])]


def streamed(parts: list[str], width: int) -> list[Line]:
    stream = Stream(width)
    seen: list[Line] = []
    for part in parts:
        stream.append(part)
        first = stream.update()
        assert stream.lines[:first] == seen[:first], "a line changed unannounced"
        seen = list(stream.lines)
    first = stream.finish()
    assert stream.lines[:first] == seen[:first], "a line changed unannounced"
    return stream.lines
