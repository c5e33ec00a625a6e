"""Makes `python -m tui` run lazychat."""

import sys

from tui.cli import main

sys.exit(main())
