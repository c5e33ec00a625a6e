"""Exit codes that scripts may rely on."""

DONE = 0
FAILED = 1
USED_WRONGLY = 2
CANCELLED = 130
