"""Runs lazychat: the command `lazychat`, and `python -m tui`.

Nothing else is imported at first, so that Ctrl+C ends it without a traceback while the
rest is being imported.
"""

import sys


def main() -> int:
    """Run lazychat with the arguments of this process; return the exit code."""
    try:
        from tui.cli import main as run

        return run()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
