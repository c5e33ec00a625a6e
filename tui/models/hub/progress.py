"""Spells the progress of a download."""

from tui.i18n import _
from tui.models.hub.pull import Downloading

_WIDTH = 20
"""Columns of the bar."""


def spell_size(count: int) -> str:
    """Return a number of bytes as disks are labelled."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def progress(step: Downloading, seconds: float) -> str:
    """Return a bar, the share, the sizes, the speed and the time that is left."""
    return "  ".join(parts(step, seconds))


def parts(step: Downloading, seconds: float, marks: str = "■□") -> list[str]:
    """Return the parts of `progress`; the last two come after a second.

    `marks` are the characters of the bar, full and empty.
    """
    if not step.total:  # the hub has not said it
        return [spell_size(step.done)]
    share = step.done / step.total
    full = min(int(share * _WIDTH), _WIDTH)
    found = [
        marks[0] * full + marks[1] * (_WIDTH - full),
        f"{share:4.0%}",
        _("{done} of {total}").format(
            done=spell_size(step.done), total=spell_size(step.total)
        ),
    ]
    came = step.done - step.resumed
    if came > 0 and seconds > 1:
        speed = came / seconds
        left = (step.total - step.done) / speed
        found += [
            f"{spell_size(round(speed))}/s",
            _("{left} left").format(left=_time(left)),
        ]
    return found


def _time(seconds: float) -> str:
    if seconds < 90:
        return _("{seconds:.0f} s").format(seconds=seconds)
    return (
        _("{seconds:.0f} min").format(seconds=seconds / 60)
        if seconds < 5400
        else _("{seconds:.1f} h").format(seconds=seconds / 3600)
    )
