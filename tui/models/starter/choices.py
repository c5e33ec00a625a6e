"""Matches a message with the allowed values of a parameter."""

import re
from collections.abc import Mapping
from typing import Any, cast

from tui.models.starter.spans import Parameter
from tui.models.starter.words import STOP, content, has_han, stem

_ALIASES: dict[str, str] = {
    "on": "打开|开启|开|turn on|switch on|enable",
    "off": "关掉|关闭|关|turn off|switch off",
    "high": "紧急|高|urgent|important",
    "low": "低|not urgent",
    "normal": "普通|一般",
    "small": "小",
    "medium": "中等|中",
    "large": "大|big",
    "yes": "是的|好",
    "no": "不",
    "celsius": "摄氏|centigrade|°c",
    "fahrenheit": "华氏|°f",
    "metric": "公制",
    "imperial": "英制",
    "walking": "步行|走路|on foot|by foot",
    "driving": "开车|驾车|by car",
    "transit": "公交|地铁|bus|train|subway|public transport",
    "cycling": "骑车|bike|bicycle",
    "up": "上|升|增大|louder|higher|increase",
    "down": "下|降|减小|quieter|lower|decrease",
    "add": "加",
    "delete": "删除|remove",
    "list": "列出",
    "start": "开始",
    "stop": "停止",
    "english": "英语|英文",
    "chinese": "中文|汉语|mandarin",
    "french": "法语|法文",
    "german": "德语|德文",
    "spanish": "西班牙语|西班牙文",
    "japanese": "日语|日文",
    "korean": "韩语|韩文",
    "red": "红",
    "green": "绿",
    "blue": "蓝",
    "yellow": "黄",
    "white": "白",
    "black": "黑",
    "daily": "每天|every day",
    "weekly": "每周|every week",
    "monthly": "每月|every month",
    "morning": "早上|上午",
    "evening": "晚上",
}
"""Other words for values that choices of many tools have."""


def choice(
    text: str, name: str, schema: Mapping[str, Any], used: list[tuple[int, int]]
) -> Any | None:
    """Return the value of an enum that stands in `text`, as itself or by an alias."""
    values = cast(list[Any], schema.get("enum", [schema.get("const")]))
    parameter = Parameter(name, str(schema.get("description", "")))
    hits: list[tuple[float, int, int, Any]] = []
    for value in values:
        word = str(value).replace("_", " ")
        for alias in (word, *_ALIASES.get(word.lower(), "").split("|")):
            place = _find(text, alias) if alias else None
            if place is not None:
                if any(s < place[1] and place[0] < e for s, e in used):
                    continue
                fits = parameter.role_weight(text[: place[0]])
                hits.append((fits, len(alias), -place[0], value))
    if not hits:
        return None
    # What stands where it should ("to celsius"); then the longest, "turn off" before
    # "off"; then the first.
    _, length, place, value = max(hits, key=lambda h: h[:3])
    used.append((-place, -place + length))
    return value


def _find(text: str, word: str) -> tuple[int, int] | None:
    if has_han(word):
        # One character is often part of another word: 关于, 开始.
        later = r"(?![于系注键心始会发车])" if len(word) == 1 else ""
        found = re.search(re.escape(word) + later, text)
        return found.span() if found else None
    found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)
    if found is None and word.lower() not in STOP:
        for m in re.finditer(r"[^\W\d_]+", text):
            if stem(m[0]) == stem(word):
                return m.span()
    return found.span() if found else None


def truth(
    text: str, name: str, schema: Mapping[str, Any], own: set[str]
) -> bool | None:
    """Return what `text` says of a yes-or-no parameter, None when nothing."""
    mine = (content(name) | content(str(schema.get("description", "")))) - own
    for m in re.finditer(r"[^\W\d_]+", text):
        if stem(m[0]) in mine:
            before = text[max(0, m.start() - 12) : m.start()].lower()
            return re.search(r"\b(?:no|not|without|n't|non)\b", before) is None
    return None
