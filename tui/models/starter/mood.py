"""Classifies a message by its grammar: request, remark, small talk.

Each purpose that needs no tool has a description, for the model's likelihood, and a
pattern of everyday phrases. A phrase is evidence only, weighed against a tool's own.
"""

import re
from collections.abc import Collection
from typing import NamedTuple

from tui.models.starter.words import has_han


class Purpose(NamedTuple):
    """Something that people say which asks for no tool."""

    description: str
    """Continues "The user wants to"."""
    phrases: re.Pattern[str]


def _phrases(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.VERBOSE)


PURPOSES = (
    Purpose(
        "greet the assistant or thank it",
        _phrases(
            r"""^\W*(?:hi|hey|hello|good\s(?:morning|evening|afternoon|night)|bye
            |goodbye|thanks?|thank\syou|cheers|ok(?:ay)?|great|cool|nice)\b
            (?!.*\b(?:and|but|now|can|could|please|what
            |how\s(?!are|is\sit|do\syou\sdo))\b)
            |how\sare\syou|^\W*(?:你好|您好|早上好|晚上好|下午好|再见|拜拜|晚安|谢谢|多谢|好的)
            (?!.*[请帮查吗几])"""
        ),
    ),
    Purpose(
        "know what the assistant is and what it can do",
        _phrases(
            r"""\b(?:who|what)(?:\sexactly)?\sare\syou(?!\s\w+ing\b)\b
            |\b(?:what\sis|tell\sme)\syour\s(?:full\s|real\s)?name\b
            |\bwhat\s(?:else\s)?(?:can|do)\syou\s(?:actually\s)?(?:do|help|know)\b
            (?!\sabout\b|\sof\b)
            |\bare\syou\s(?:an?|human|real|chatgpt|gpt|claude|llama|gemini)\b
            |\b(?:what|which|how\smany|what\ssort\sof|what\skinds?\sof)\s
            (?:other\s|large\s|language\s|ai\s|llm\s)*
            (?:models?|llm|ai|skills?|abilit\w+|capabilit\w+|features?|functions?|tools?
            |parameters?)\s(?:(?:do|can)\syou\s(?:have|use|offer|support|run\son|call)
            |are\syou|am\si\s(?:talking|chatting|speaking)\s(?:to|with)|is\sthis)\b
            |\bwhat\s(?:is|are)\syour\s(?:skills?|abilit\w+|capabilit\w+|features?|functions?
            |limits?|limitations?|tools?|model)\b
            |\b(?:who|what\scompany)\s(?:made|built|created|trained|developed|wrote)\syou\b
            |\b(?:tell\s(?:me|us)(?:\s\w+){0,2}\sabout|describe|introduce)\syourself\b
            |\bwhat\sare\syou\s(?:able\sto|capable\sof|good\sat)\b
            |\b(?:who|what)\sam\si\s(?:talking|chatting|speaking)\s(?:to|with)\b
            |\bhow\s(?:big|large|smart|good)\sare\syou\b
            |你有(?:什么|哪些)(?:技能|本领|本事|功能|能力|工具)|你的(?:名字|技能|能力|功能)是?(?:什么|有哪些)
            |你用的?是?(?:什么|哪个|哪种)模型|谁(?:开发|创造|训练|制造)了?你|介绍(?:一下)?你自己
            |你(?:是谁|叫什么|能做什么|会做什么|会什么|可以做什么|会哪些|有什么功能|是什么|是机器人)"""
        ),
    ),
    Purpose(
        "chat about themselves, their likes and their day",
        _phrases(
            r"""\bdo\syou\s(?:like|love|think|believe|prefer|have|feel)\b
            |\bi\s(?:really\s)?
            (?:like|love|hate|enjoy|prefer|feel)\b
            |\byour\s(?:opinion|view|favou?rite)|你(?:喜欢|觉得|认为)
            |我(?:很|最|真|不|也)?(?:喜欢|爱|讨厌|觉得)"""
        ),
    ),
    Purpose(
        "ask a question of general knowledge",
        _phrases(
            r"""\bwho\s(?:wrote|invented|discovered|painted|made|founded|is|was)\b
            |\bwhat\s(?:is|are)\s(?:a|an|the\s(?:difference|capital|meaning|history|point
            |largest|biggest|best))\b|\bwhat\sdoes\s.*\bmean\b|\bthe\shistory\sof\b
            |\btell\s(?:me|us)\s(?:more\s|something\s)?about\b|^\W*(?:which|who)\b|^\W*(?:is|are|was
            |were)\s(?!it\b|there\b)[\w\s]+\san?\s
            |\bin\swhich\s(?:year|century)\b|\bwhen\s(?:was|did|were)\b|\bis\s(?:a|an)\s
            |什么是|是什么意思|的(?:区别|历史|首都)|谁(?:写|发明|发现|是)|^\W*[^\d]{1,8}是什么\W*$"""
        ),
    ),
    Purpose(
        "have a poem, a story, a joke or another text written",
        _phrases(
            r"""\b(?:write|compose|make\sup|tell)\b.*\b(?:poem|haiku|story|joke|song|essay
            |letter|paragraph|limerick|tale|speech|sentence|lyrics)\b
            |\b(?:summari[sz]e|summary|rewrite|rephrase|proofread|plot\sof)\b
            |写.{0,6}(?:诗|故事|文章|作文|歌词|信|书|段)|[讲说].{0,3}(?:笑话|故事)"""
        ),
    ),
    Purpose(
        "get ideas, tips or advice",
        _phrases(
            r"""\b(?:tips?|advice|ideas?|suggest\w*|recommend\w*|good\snames?|should\si)\b
            |建议|推荐|主意|技巧|起.{0,3}名字"""
        ),
    ),
    Purpose(
        "understand how something works or why something is so",
        _phrases(
            r"""^\W*(?:but\s|so\s|and\s)?why\b(?!\sdon'?t\syou)|\bexplain\b
            |\b(?:learn|study|practi[cs]e|homework)\b|\bwhat\scauses?\b|\bhow\scome\b
            |\bhow\s(?:do|does|did|is|are|can)\b.*\b(?:works?|made|formed|affect\w*|invented
            |called|measured|calculated|predicted|determined)\b
            |\bhow\s(?:do|can|does|would)\s(?:i|you|one|people|we|they)\s(?:learn|become|make
            |write|take|read|play|improve|stay|keep|deal|choose|cook|grow|build)\b
            |为什么|为何|解释|怎么(?:做|形成|工作|学|样才|产生|来)|如何(?!\W*$)|的?原理|怎样才"""
        ),
    ),
    Purpose(
        "say that nothing needs to be done",
        _phrases(
            r"""\bno\sneed\b|\blet(?:'s|\sus)\snot\b|\bdo\snot\s(?!know|forget|have\b(?!\sto))
            |\bneedn'?t\b|\bnever\s?mind\b|\b(?:do\s?n[o']t|dont)\s(?!forget|know
            |you\b|see|remember|understand|have\b(?!\sto)|let)|\bforget\s(?:it|about)\b|\bnot\snecessary
            |\bno\slonger\b|\bno,?\sthanks?\b|\bcancel\sthat\b|\brather\snot\b|\bnot\sasking\b
            |不用|不要|不想|不打算|不必|无需|不需要|没必要|算了|别(?!忘|的|人|墅|名|针|克)"""
        ),
    ),
    Purpose("tell what they already know or did", _phrases(r"\balready\b|已经")),
)
"""What is weighed against every tool."""

_ASKS = _phrases(
    r"""\?|？|^\W*(?:(?:and|so|ok|okay|hey|well|then)[\s,]+)*(?:please|can|could|would|will
    |what|what's|whats|how|when|where|who|which|is|are|do|does|did)\b|\bplease\b
    |\bi(?:'d|\swould)\slike\b(?!d)|\bi\s(?:want|need|wish|wonder)\b|\bi'?\s?a?m\slooking\sfor
    |\b(?:tell|show|give|let|remind)\s(?:me|us)\b
    |[吗呢]\W*$|多少|几[点个天度号月岁]|什么|怎么|哪[里个些儿]|能不能|是不是|有没有|帮我|帮忙|请|给我
    |告诉我|查|我想(?!念|起|到|去)|我要(?!去)|我需要|想知道"""
)
_REMARK = _phrases(
    r"""^\W*(?:(?:and|so|but|well|yes|no|oh|yeah|yesterday|today|last\s\w+)[\s,]+)*
    (?:i|i'm|i've|i'll|i'd|we|we're|he|she|they|it|it's|my|our|his|her|their|the|this|that
    |that's|there|these|those|a|an|you|you're|your|some|someone|everyone)\b
    |^\W*\w+(?:\s\w+)?\s(?:is|are|was|were|has|have|had)\b
    |^\W*(?:昨天|今天|上周|去年|刚才|刚刚|以前|其实)?的?(?:我|他|她|它|我们|他们|这|那|大家)
    |(?:昨天|上周|去年|刚才|刚刚).*了|真(?:好|是|不错|的)|太.+了|[很真太]\w{1,3}\W*$|非常|坏了|啊\W*$"""
)
_NOTHING = next(p for p in PURPOSES if "nothing" in p.description).phrases
_CLAUSES = re.compile(r"(?<=[.!;?。！；？])\s*|[,，]\s*|\s+(?:but|so)\s+")


def _clauses(text: str) -> list[str]:
    return [c for c in _CLAUSES.split(spelled_out(text)) if re.search(r"\w", c)]


def remarks(text: str) -> bool:
    """Whether no clause of `text` asks or orders, as far as its grammar tells."""
    clauses = _clauses(text)
    return not any(_ASKS.search(c) for c in clauses) and any(
        _REMARK.search(c) for c in clauses
    )


def declines(text: str) -> bool:
    """Whether `text` says not to do something, and asks for nothing else."""
    clauses = _clauses(text)
    negated = [_NOTHING.search(c) is not None for c in clauses]
    return any(negated) and all(
        no or (_REMARK.search(c) and not _ASKS.search(c))
        for no, c in zip(negated, clauses, strict=True)
    )


def speaks_for(purpose: Purpose, text: str, words: Collection[str]) -> bool:
    """Whether a typical phrase of `purpose` in `text` is not one of a tool's own words.

    "What does ephemeral mean?" is general knowledge, unless a tool is about meanings.
    """
    typical = purpose.phrases.pattern
    lower = text.lower()
    if not purpose.phrases.search(spelled_out(text)):
        return True  # nothing to take back: its hint is one of grammar
    return not any(
        (w in typical and w in lower)
        if has_han(w)
        else re.search(rf"\b{re.escape(w)}", typical)
        and re.search(rf"\b{re.escape(w)}", lower)
        for w in words
        if len(w) > 2 or has_han(w)
    )


def spelled_out(text: str) -> str:
    """Return `text` with "what's" as "what is", "I'm" as "I am" and the like."""
    text = text.replace("’", "'")
    text = re.sub(
        r"\b(what|who|where|how|when|that|it|there)'s\b", r"\1 is", text, flags=re.I
    )
    return re.sub(r"\bi'm\b", "I am", text, flags=re.I)


def hints(text: str) -> list[int]:
    """Return for each of `PURPOSES` how much speaks for it: phrases, and grammar."""
    found = [int(p.phrases.search(spelled_out(text)) is not None) for p in PURPOSES]
    found[-1] += remarks(text)
    return found


_JOINTS = re.compile(
    r"(?<=[.!?;。！？；])\s*|[,，]?\s+(?:and|then|and\sthen|also)\s+(?:also\s+)?(?=(?:please|what|"
    r"what's|how|when|where|who|tell|show|give|set|send|get|find|check|turn|play|add|"
    r"convert|translate|calculate|remind|roll|search|look|read|pick)\b)"
    r"|[，,；]?\s*(?=然后|再(?!见)|并且?|顺便|另外)",
    re.IGNORECASE,
)


def clauses(text: str) -> list[str]:
    """Return the parts of `text` that may each be a request of its own, at most 4."""
    return [c.strip() for c in _JOINTS.split(text) if re.search(r"\w", c)][:4]
