"""Maps servers' finish reasons to those of `Reply.finish_reason`.

Servers use more than the API defines: those of model makers, older APIs and relays. A
reason that means a failure is an error even if text preceded it.
"""

import re

from tui.i18n import N_, _

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
"""Reasons that cut an answer short other than its own token limit."""
_FAILED = {
    "error": N_("an error"),
    "network_error": N_("an error of its network"),  # GLM
    "insufficient_system_resource": N_("it has no resources left"),  # DeepSeek
    "abort": N_("it was stopped there"),  # vLLM
    "malformed_function_call": N_("the model wrote a tool call that cannot be read"),
    "unexpected_tool_call": N_("the model called a tool that it was not offered"),
}
_FAILURE = re.compile(
    r"error|fail|malform|unexpected|invalid|abort|cancel|time_?out|overload|"
    r"unavailable|exhaust|too_many|missing|no_image|interrupt"
)


def meant(reason: str) -> str:
    """Return the matching `Reply.finish_reason`; "" for an unknown one."""
    return _KNOWN.get(reason.lower(), "")


def is_to_be_told(reason: str) -> bool:
    """Whether to show the server's own finish reason to the user.

    True if it is unknown, or more specific than what it is mapped to.
    """
    means = meant(reason)
    if means == "length":
        return reason.lower() in _OTHER_LIMITS
    return bool(reason) and (not means or (means == "content_filter" != reason))


def failure(reason: str) -> str:
    """Return what failed according to a finish reason; "" for no failure."""
    low = reason.lower()
    if low in _KNOWN or not (low in _FAILED or _FAILURE.search(low)):
        return ""
    known = _(_FAILED.get(low, ""))
    named = f"finish_reason {reason}"
    return f"{known} ({named})" if known else named
