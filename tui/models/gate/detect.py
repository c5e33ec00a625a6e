"""Finds a model's dialect, from its chat template or, failing that, from its name.

A template writes earlier calls into the prompt in the model's own format, so its
markers name the dialect; special tokens help where the template is silent. A name is
a guess, and a name that stands for changing models ("deepseek-chat") is none.
"""

import re
from collections.abc import Iterable
from functools import cache

from tui.models.gate.auto import auto_dialect
from tui.models.gate.dialects.registry import DIALECTS
from tui.models.gate.grammar import Dialect

AUTO = "auto"

# The first row of which every word stands in the template or its special tokens.
_SIGNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("harmony", ("<|channel|>", "<|message|>")),
    ("gemma4", ("<|tool_call>",)),
    ("functiongemma", ("<start_function_call>",)),
    ("deepseek_v32", ("｜DSML｜", "function_calls")),
    ("deepseek_v4", ("｜DSML｜",)),
    ("deepseek_v3", ("<｜tool▁calls▁begin｜>", "```json")),
    ("deepseek_v31", ("<｜tool▁calls▁begin｜>",)),
    ("step3", ("<｜tool_calls_begin｜>",)),
    ("kimi_k2", ("<|tool_calls_section_begin|>",)),
    ("command", ("<|START_ACTION|>",)),
    ("apertus", ("<|tools_prefix|>",)),
    ("lfm2", ("<|tool_call_start|>",)),
    ("lazyllm_internlm", ("<|action_start|>", "<|function|>")),
    ("internlm2", ("<|action_start|>",)),
    ("lazyllm_glm", ("✿FUNCTION✿",)),
    ("seed_oss", ("<seed:tool_call>",)),
    ("minimax_m2", ("<minimax:tool_call>",)),
    ("longcat", ("<longcat_tool_call>",)),
    ("dots", ("<dots_function_call>",)),
    ("nemotron_v2", ("<TOOLCALL>",)),
    ("hunyuan_v3", ("<tool_sep>",)),
    ("glm45", ("<arg_key>",)),
    ("qwen3_coder", ("<function=", "<parameter=")),
    ("functionary_v31", ("<function=",)),
    ("mistral_args", ("[TOOL_CALLS]", "[ARGS]")),
    ("mistral_args", ("[TOOL_CALLS]", "[THINK]")),
    ("mistral_list", ("[TOOL_CALLS]",)),
    ("phi4mini", ("functools[",)),
    ("phi4mini", ("<|/tool_call|>",)),
    ("granite3", ("<|tool_call|>",)),
    ("granite20b", ("<function_call>",)),
    ("olmo3", ("<function_calls>",)),
    ("ernie45", ("<tool_call>", "<response>")),
    ("hunyuan_a13b", ("<tool_calls>", "<answer>")),
    ("minimax_m1", ("<tool_calls>", "<beginning_of_sentence>")),
    ("jamba", ("<tool_calls>",)),
    ("hermes", ("<tool_call>",)),
    ("functionary_v32", (">>>", "<|start_header_id|>")),
    ("llama_pythonic", ("<|python_start|>",)),
    ("llama3_json", ("<|python_tag|>",)),
    ("llama3_json", ("<|start_header_id|>", '"parameters"')),
    ("glm4", ("[gMASK]", "<|observation|>")),
)

# Searched in the lower-case name, with _ and blanks as -; the first that is found.
_NAMES: tuple[tuple[str, str], ...] = (
    (AUTO, r"nemotron.*(?:super|ultra)|llama.*nemotron"),
    ("qwen3_coder", r"nemotron-?3|qwen-?3-coder|qwen-?3\.[5-9]|step-?3\.5|mimo-v2"),
    ("nemotron_v2", r"nemotron.*(?:-v2|-h\b|-h-)"),
    ("xlam", r"xlam"),
    ("functionary_v31", r"functionary.*v3\.1"),
    ("functionary_v32", r"functionary.*v3\.2"),
    ("phi4mini", r"firefunction|phi-?4-mini"),
    ("functiongemma", r"function-?gemma"),
    ("gemma4", r"gemma-?4"),
    ("harmony", r"gpt-oss"),
    # Distilled models keep the format of the teacher's template.
    ("deepseek_v4", r"deepseek-?v4"),
    ("deepseek_v31", r"deepseek-?v3\.(?:1|2-exp)"),
    ("deepseek_v32", r"deepseek-?v3\.2"),
    ("deepseek_v3", r"deepseek-?(?:v3|r1)"),
    ("hermes", r"hermes|qwen-?2\.5|qwen-?3|qwq|mimo-vl|reka-edge|bielik|granite-?4"),
    ("granite20b", r"granite-20b-function"),
    ("granite3", r"granite-?3"),
    ("smollm", r"smollm"),
    ("glm45", r"glm-?4\.[5-9]|glm-?[5-9]|ling-3|laguna"),
    ("glm4", r"glm-?4|chatglm3"),
    ("jamba", r"jamba|apriel"),
    ("hunyuan_a13b", r"hunyuan-a13b"),
    ("hunyuan_v3", r"hunyuan-?v?3|\bhy-?3"),
    ("minimax_m2", r"minimax-?m2"),
    ("minimax_m1", r"minimax-?m1"),
    ("ernie45", r"ernie-?4\.5"),
    ("longcat", r"longcat"),
    ("internlm2", r"internlm-?[23]|intern-s1"),
    ("mistral_list", r"mistral-7b|mistral:7b|nemo\b|mixtral|mistral-large-2407"),
    ("mistral_args", r"mistral|magistral|devstral|ministral"),
    ("kimi_k2", r"kimi-?k2"),
    ("command", r"command-?(?:r7b|a\b)"),
    ("seed_oss", r"seed-?oss"),
    ("olmo3", r"olmo-?3"),
    ("lfm2", r"lfm-?2"),
    ("dots", r"dots[.-]?llm"),
    ("step3", r"step-?3"),
    ("apertus", r"apertus"),
    ("llama_pythonic", r"llama-?4"),
    ("llama3_json", r"llama-?3[.-][1-3]"),
)

_OPENERS = {"harmony": "<|channel|>analysis<|message|>", "react": "Thought:"}


def find_dialect(id: str) -> Dialect:
    """Return the dialect with this id; an unknown one raises `ValueError`."""
    if id == AUTO:
        return _auto()
    if id not in DIALECTS:
        known = ", ".join(sorted((*DIALECTS, AUTO)))
        raise ValueError(f"There is no dialect {id!r}. There are: {known}.")
    return DIALECTS[id]


def dialect_of_template(chat_template: str, special_tokens: Iterable[str] = ()) -> str:
    """Return the id of the dialect that a Jinja chat template is for, or "auto"."""
    text = "\n".join((chat_template, *special_tokens))
    for id, signs in _SIGNS:
        if all(sign in text for sign in signs):
            return id
    return AUTO


def dialect_of_name(model_name: str) -> str:
    """Return the dialect that a model of this name is likely to speak, or "auto".

    Takes names as servers write them: "qwen2.5:7b-instruct", "Qwen/Qwen3-Coder-30B".
    """
    # The last part is the model; what stands before it is its maker.
    name = re.sub(r"[_\s]+", "-", model_name.lower()).rstrip("/").rpartition("/")[2]
    for id, pattern in _NAMES:
        if re.search(pattern, name):
            return id
    return AUTO


def dropped_tokens(dialect: str) -> tuple[str, ...]:
    """Return the tokens that end a turn or wrap text, which the gate takes out."""
    found = find_dialect(dialect)
    return (*found.dropped, *found.endings)


def reasoning_opener(dialect: str) -> str:
    """Return what opens reasoning, "" for none.

    A prompt that ends with it (white space aside) leaves the reasoning open.
    """
    thinking = find_dialect(dialect).thinking
    return thinking[0].open if thinking else _OPENERS.get(dialect, "")


@cache
def _auto() -> Dialect:
    return auto_dialect()
