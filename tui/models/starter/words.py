"""Splits English and Chinese messages into words, and marks those with meaning.

The starter model decides by likelihood, which is weak evidence where its tokenizer is
weak; the words that a message shares with a tool's schema are the other half. All that
is here holds for any tool: no subject matter, only grammar and everyday phrases.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple


def split_words(text: str) -> list[str]:
    """Return the words of `text`: how long lists of words are written here."""
    return text.split()


_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_OPERATOR = (
    r"[+\-*/×÷^%x]|乘以|除以|加上?|减去?|乘|除|plus|minus|times|divided\sby"
    r"|multiplied\sby|(?:%|percent)\sof|to\sthe\spower\sof"
)
_UNIT = re.compile(
    rf"""
    (?P<quote>"[^"\n]+"|“[^”\n]+”|「[^」\n]+」|《[^》\n]+》|(?<!\w)['‘][^'’\n]+['’](?!\w))
  | (?P<whole>\d{{1,2}}:\d\d(?:\s?[ap]\.?m\b)?|\d{{1,2}}\s?[ap]\.?m\b
      |https?://\S+|[\w.+-]+@[\w-]+\.[\w.-]*\w|[~.]?/[\w./~-]*\w
      |[\w-]+(?:/[\w-]+)*\.[A-Za-z]\w{{0,4}}\b)
  | (?P<sum>(?!\d{{4}}-\d)[(]*\d[\d.,]*[)%]*
      (?:\s*(?:{_OPERATOR})\s*[(]*-?\d[\d.,]*(?<=[\d])[)%]*)+)
  | (?P<code>[A-Za-z]+\d[\w-]*|\d+[A-Za-z]+\d[\w-]*)
  | (?P<number>\d[\d,]*(?:\.\d+)?)
  | (?P<han>[{_HAN}])
  | (?P<word>[^\W\d_{_HAN}](?:[\w]|['’.-](?=[^\W{_HAN}]))*)
  | (?P<mark>[^\s\w])
    """,
    re.VERBOSE | re.IGNORECASE,
)


_SIGNS = (
    (r"\s*乘以?\s*|\s+(?:times|multiplied\sby|x)\s+|\s*×\s*", " * "),
    (r"\s*除以?\s*|\s+divided\sby\s+|\s*÷\s*", " / "),
    (r"\s*加上?\s*|\s+plus\s+", " + "),
    (r"\s*减去?\s*|\s+minus\s+", " - "),
)


class Unit(NamedTuple):
    """A word, a Chinese character, a number, a quotation ... of a message."""

    kind: str
    """`quote`, `whole` (address, path), `sum` (arithmetic), `number`, `han`, `word`
    or `mark`."""
    text: str
    start: int
    end: int


STOP = frozenset(
    split_words(
        "a an the this that these those some any my your our their his her "
        "its i you he she we they me us him them it mine what which who whom "
        "whose when where why how is are was were be been being am do does "
        "did done doing has have had having can could will would shall should "
        "may might must of in on at to from for with about into over under by "
        "as and or but if than then so not no yes please just only also too "
        "very much many more most there here give get tell let make made want "
        "need like know show find use using used i'm i'd i'll it's what's "
        "who's where's how's that's don't doesn't didn't can't won't isn't up "
        "out off one e.g etc given something somebody someone anything thing "
        "return returns user user's own new name text string word value "
        "current currently now today's today right between place called "
        "another within got take put say says said uses contain contains "
        "already again still ever never always maybe really quite instead "
        "soon later thanks thank hello hi hey ok okay myself yourself anyway "
        "actually course well"
    )
)
"""Words that say nothing of what a tool is for."""

FILLER = tuple(
    sorted(
        split_words(
            "请问 请你 请 麻烦你 麻烦 帮我 帮忙 帮 给我 替我 我想知道 我想要 我想 "
            "我要 我需要 能不能 可不可以 可以 能否 告诉我 查一下 查查 查询 查找 "
            "查 看一下 看看 找一下 找找 找 搜索一下 搜索 搜一下 搜 一下 一些 一个 "
            "一部 一本 一场 一家 一道 一位 一张 一只 "
            "一封 一条 一首 一份 现在 目前 当前 今天 今晚 明天 后天 昨天 最新 "
            "最近 未来 接下来 怎么样 怎样 如何 怎么走 怎么 什么 哪些 哪里 多少 几 "
            "有没有 有 是多少 是什么 是 吗 呢 吧 啊 呀 了 的 我的 我们 我 你的 你 "
            "里面 把 和 与 跟 及 到 从 给 关于 有关 换成 成为 写着 内容 左右 大概 "
            "大约 的话 同时 以及 还有 或者 里的 上的 中的 等于 换算 换算成 转换 "
            "转换成 发送 翻译成 翻译 播放 设置 添加 打开 关闭 提醒 计算 主题 标题 "
            "谢谢 你好 已经 喜欢 知道"
        ),
        key=len,
        reverse=True,
    )
)
"""Chinese words that are no part of an argument's value, the longest first."""

LEADING = "用将对向去要想这那个位发打设关放成为叫让订买卖查加写"
TRAILING = "里上中去要会想个点天度掉开后前内时着发订买卖查加写"
"""Characters that are no part of a value at its begin, or at its end."""

TEMPORAL = re.compile(
    r"\b(?:(?:on|this|next|for)\s)?(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day)s?\b"
    r"(?:\s(?:morning|afternoon|evening|night))?"
    r"|\b(?:right\snow|now|today|tonight|tomorrow|yesterday|currently|at\sthe\smoment"
    r"|(?:this|next|last)\s(?:week(?:end)?|month|year|morning|afternoon|evening|night))\b"
    r"|(?:at\s)?\d{1,2}(?::\d\d)?\s?[ap]\.?m\b|(?:at\s)?\d{1,2}:\d\d|\d{4}-\d\d?-\d\d?"
    r"|(?:这|下|本)?(?:周|星期|礼拜)[一二三四五六日天末]|[今明后]天|今晚"
    r"|(?:上午|中午|下午|早上|晚上)?[\d一二三四五六七八九十两]+点(?:半|\d+分)?"
    r"|\d{1,2}月\d{1,2}[日号]",
    re.IGNORECASE,
)
"""When something is: a day or a time of day."""

_SUFFIXES = ("'s", "’s", "ing", "ers", "er", "ed", "es", "ion", "s", "e")


def units(text: str) -> list[Unit]:
    """Return the units of `text` in order."""
    found: list[Unit] = []
    for m in _UNIT.finditer(text):
        kind = "whole" if m.lastgroup == "code" else m.lastgroup or "mark"
        found.append(Unit(kind, m[0], m.start(), m.end()))
    return found


def is_sum(text: str) -> bool:
    """Whether arithmetic stands in `text`: 2 * 3, 15% of 80, 12乘以8."""
    return any(u.kind == "sum" for u in units(text))


def in_symbols(text: str) -> str:
    """Return arithmetic with signs for words: "12 times 8" is "12 * 8".

    What is not arithmetic throughout is returned as it is.
    """
    found = units(text)
    if len(found) != 1 or found[0].kind != "sum":
        return text
    for pattern, sign in _SIGNS:
        text = re.sub(pattern, sign, text, flags=re.IGNORECASE)
    return text


def has_han(text: str) -> bool:
    """Whether `text` has a Chinese character."""
    return re.search(f"[{_HAN}]", text) is not None


def stem(word: str) -> str:
    """Return `word` without case and the commonest English endings."""
    word = word.lower()
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word[: -len(suffix)]
            if len(word) > 3 and word[-1] == word[-2]:
                word = word[:-1]  # running, shipped
    return word


def content(text: str) -> set[str]:
    """Return the stems of the English words in `text` that carry a meaning."""
    spaced = re.sub(r"[_/-]", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text))
    words = re.findall(rf"[^\W\d_{_HAN}]+(?:['’][a-z]+)?", spaced)
    return {stem(w) for w in words if w.lower() not in STOP and len(w) > 1}


def shared(text: str, vocabulary: set[str], keywords: Iterable[str]) -> list[str]:
    """Return what of `vocabulary` (stems) and `keywords` stands in `text`.

    A Chinese keyword is found inside a sentence; one that is part of another found
    one does not count again.
    """
    stems = content(text)
    lower = text.lower()
    hits: dict[str, None] = {}
    for keyword in sorted(keywords, key=len, reverse=True):
        if has_han(keyword):
            if keyword in lower and not any(keyword in hit for hit in hits):
                hits[keyword] = None
        elif " " in keyword.strip():
            if keyword.strip().lower() in lower:
                hits.update(dict.fromkeys(content(keyword)))
        elif stem(keyword) in stems or keyword.lower() in re.findall(r"\w+", lower):
            hits[stem(keyword)] = None
    hits.update(dict.fromkeys(vocabulary & stems))
    return list(hits)
