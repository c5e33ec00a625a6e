"""`lazychat undo-write`: puts back what was in a file before a tool wrote it."""

import time

from tui.cli.codes import DONE, FAILED
from tui.i18n import _
from tui.safe import decoded, one_line
from tui.tools.bundled import undo


def run(show: bool) -> int:
    """Undo the newest write of a tool, or with `show` list what can be undone.

    Raises `ToolError` if the file was changed since.
    """
    found = undo.writes()
    if not found:
        print(_("No tool has written a file that can be restored."))
        return DONE if show else FAILED
    if not show:
        print(decoded(undo.undo(found[0])))
        return DONE
    for written in found:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(written.at))
        what = _("changed") if written.existed else _("created")
        print(f"{when}  {what}  {one_line(decoded(str(written.path)))}")
    return DONE
