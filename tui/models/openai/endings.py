"""Says how an answer has ended, in the words of `Reply.finish_reason`.

Servers have more words for it than the API: those of the models' makers, of older APIs
and of relays. What means a failure is one, also when text has come before it.
"""

import re

_MEANS = {
    "stop": "stop eos eos_token end end_turn stop_sequence stop_sequences complete "
    "completed done finished finish normal null none success stopped",
    "length": "length max_tokens max_output_tokens max_new_tokens model_length "
    "model_context_window_exceeded repetition_truncation incomplete",
    "tool_calls": "tool_calls tool_call function_call tool_use tool",
    "content_filter": "content_filter content_filtered sensitive safety recitation "
    "blocklist prohibited_content spii image_safety language refusal guardrails "
    "guardrail_intervened blocked censored risk",
}
_KNOWN = {word: reason for reason, words in _MEANS.items() for word in words.split()}
_OTHER_LIMITS = ("model_context_window_exceeded", "repetition_truncation")
"""Ends that cut an answer short, for another reason than its own limit of tokens."""
_FAILED = {
    "error": "an error",
    "network_error": "an error of its network",  # GLM
    "insufficient_system_resource": "it has no resources left",  # DeepSeek
    "abort": "it was stopped there",  # vLLM
    "malformed_function_call": "the model has written a tool call that cannot be read",
    "unexpected_tool_call": "the model has called a tool that it was not offered",
}
_FAILURE = re.compile(
    r"error|fail|malform|unexpected|invalid|abort|cancel|time_?out|overload|"
    r"unavailable|exhaust|too_many|missing|no_image|interrupt"
)


def meant(reason: str) -> str:
    """Return a `Reply.finish_reason`; "" for a word that nobody knows."""
    return _KNOWN.get(reason.lower(), "")


def is_to_be_told(reason: str) -> bool:
    """Whether the user is told the server's own word for the end of an answer.

    It says more than the word that it stands for, or nobody knows it.
    """
    means = meant(reason)
    if means == "length":
        return reason.lower() in _OTHER_LIMITS
    return bool(reason) and (not means or (means == "content_filter" != reason))


def failure(reason: str) -> str:
    """Return what has failed by the reason of an end; "" when nothing has."""
    low = reason.lower()
    if low in _KNOWN or not (low in _FAILED or _FAILURE.search(low)):
        return ""
    known = _FAILED.get(low)
    named = f"finish_reason {reason}"
    return f"{known} ({named})" if known else named
