"""The app in a browser: a server whose pages are terminals with the app in them.

Each page of a browser has a process of its own on a pseudo-terminal, which xterm.js
draws. So all that the app does for slow terminals also serves the browser: differences
instead of frames, acknowledged frames, synchronized updates. Such a process runs no
turns (see `tui.runtime.served`): it may end with its page at any time.
"""

from tui.web.access import Access
from tui.web.server import MOST_PAGES, Ports, WebServer

__all__ = ["MOST_PAGES", "Access", "Ports", "WebServer"]
