"""Settles which keys run which commands: the defaults and the user's own.

A key that cannot work is left out, and the command keeps its default key. Whatever is
left out, or taken from another command, is told in one line.
"""

from collections.abc import Iterable, Mapping

import msgspec
from textual.binding import Binding, BindingsMap

from tui.app.commands import COMMANDS, NO_KEY, Command, checked, spelled_key
from tui.app.keys import sendable
from tui.app.transcript.pane import Transcript
from tui.app.widgets.composer import Composer
from tui.i18n import N_, _

_OURS = {
    "ctrl+c": N_("copies, stops and quits"),
    "ctrl+z": N_("suspends lazychat"),
    "tab": N_("goes to the next pane"),
    "shift+tab": N_("goes to the previous pane"),
}
"""Keys that always do the same, and what they do."""
_FOR_TYPING = ("space", "enter", "backspace", "delete")


class Settled(msgspec.Struct, frozen=True):
    """The keys of a run."""

    keys: dict[str, str]
    """Command to keys, comma-separated, "" for none; defaults are left out."""
    problems: list[str]
    """A line for each entry that does not do what it says."""

    @property
    def keymap(self) -> dict[str, str]:
        """The keys in the form that Textual takes, by the names of bindings.

        Keys of the composer that have a name give way to the user's.
        """
        keymap = {name: keys or NO_KEY for name, keys in self.keys.items()}
        own = {key for keys in self.keys.values() for key in _split(keys)}
        found = _bindings(Composer)
        giving = {it.id: NO_KEY for it in found if it.id and it.key in own}
        return keymap | giving


def settle_keys(
    own: Mapping[str, str], *, vi: bool = False, protocol: bool | None = None
) -> Settled:
    """Return the keys that `own`, the user's `[keys]`, leads to.

    `vi` reserves the keys that vi has in the conversation. `protocol` is whether the
    terminal has the keyboard protocol of kitty; None: as the environment suggests.
    """
    good, problems = checked(own)
    if protocol is None:
        protocol = sendable.has_protocol()
    return _Settling(good, problems, vi=vi, protocol=protocol).run()


class _Settling:
    def __init__(
        self, own: Mapping[str, str], problems: list[str], *, vi: bool, protocol: bool
    ) -> None:
        self._own = own
        self._problems = problems
        self._vi = vi
        self._protocol = protocol
        self._taken: dict[str, str] = {}  # key to command
        self._keys: dict[str, list[str]] = {}
        self._extra: dict[str, list[str]] = {}  # sent by some terminals only

    def run(self) -> Settled:
        for name, keys in self._own.items():
            self._take_own(_named(name), [sendable.normal(k) for k in _split(keys)])
        defaults = [c for c in COMMANDS if c.name not in self._keys]
        for command in defaults:
            self._take_default(command)
        keys = {
            c.name: ",".join([*self._keys[c.name], *self._extra.get(c.name, ())])
            for c in COMMANDS
        }
        changed = {c.name: keys[c.name] for c in COMMANDS if keys[c.name] != c.key}
        return Settled(changed, self._problems)

    def _take_own(self, command: Command, wanted: list[str]) -> None:
        if not wanted:  # "": the command should have no key
            self._keys[command.name] = []
            return
        kept: list[str] = []
        lost: list[str] = []
        for key in wanted:
            if why := self._why_not(command, key):
                entry = _entry(command, key)
                lost.append(_("{entry}: {why}").format(entry=entry, why=why))
            elif not sendable.is_sent(key) and not self._protocol:
                self._extra.setdefault(command.name, []).append(key)
                self._taken[key] = command.name
                lost.append(
                    _(
                        "{command}: few terminals send that key, and this one does "
                        "not seem to"
                    ).format(command=_entry(command, key))
                )
            else:
                self._taken[key] = command.name
                kept.append(key)
                if key == "ctrl+space":  # as Textual calls it without the protocol
                    kept.append("ctrl+@")
        if kept:
            self._keys[command.name] = kept
            self._report(lost, _("{kept} still works").format(kept=_spelled(kept)))
        elif lost:
            free = [k for k in _split(command.key) if k not in self._claimed(command)]
            instead = (
                _("the default, {free}, is used").format(free=_spelled(free))
                if free
                else (
                    _("{slash} has no key now").format(
                        slash=command.slash or command.name
                    )
                )
            )
            self._report(lost, instead)

    def _claimed(self, command: Command) -> set[str]:
        """Return the keys that the user gives to other commands than `command`."""
        return {
            sendable.normal(key)
            for name, keys in self._own.items()
            if name != command.name
            for key in _split(keys)
        }

    def _report(self, lost: Iterable[str], instead: str) -> None:
        self._problems += [
            _("[keys]: {lost}; {instead}").format(lost=each, instead=instead)
            for each in lost
        ]

    def _take_default(self, command: Command) -> None:
        keys = _split(command.key)
        kept = [key for key in keys if key not in self._taken]
        for key in keys:
            taker = self._taken.setdefault(key, command.name)
            if taker == command.name or command.name in self._own:
                continue
            left = (
                _("keeps {kept}").format(kept=_spelled(kept))
                if kept
                else (
                    _("has no other ({slash} still works)").format(slash=command.slash)
                )
            )
            self._problems.append(
                _(
                    "[keys]: {taker} takes that key from {name}, which {left}; "
                    "give {name} another key"
                ).format(taker=_entry(_named(taker), key), name=command.name, left=left)
            )
        self._keys[command.name] = kept

    def _why_not(self, command: Command, key: str) -> str:
        """Return why a key cannot be that of `command`, or ""."""
        if other := self._taken.get(key):
            return _("{other} has that key already, so {other} keeps it").format(
                other=other
            )
        if same := sendable.same_as(key):
            return _("terminals cannot tell that key from {same}").format(same=same)
        if does := _OURS.get(key):
            return _("that key always {does}").format(does=_(does))
        if (
            (owner := self._owner(key))
            and owner != command
            and (not owner.slash or (command.reading and not owner.reading))
        ):
            return _("{name} has that key already, so {name} keeps it").format(
                name=owner.name
            )
        last = sendable.parts(key)
        if last[:-1] == ["shift"] and len(last[-1]) == 1:
            return _("Shift only makes a letter a capital")
        if command.reading:
            does = _pane_keys(vi=self._vi).get(key)
            return (
                _("the conversation pane uses that key ({does})").format(does=does)
                if does
                else ""
            )
        if len(last) == 1 and (len(key) == 1 or key in _FOR_TYPING):
            return _("that key is for typing: put ctrl+ or alt+ before it")
        if does := _composer_keys().get(key):
            return _("that key is for editing ({does})").format(does=does)
        return ""

    def _owner(self, key: str) -> Command | None:
        """Return the command that has a key by default, unless the user changes it."""
        for command in COMMANDS:
            if key in _split(command.key) and command.name not in self._own:
                return command
        return None


def _named(name: str) -> Command:
    return next(command for command in COMMANDS if command.name == name)


def _split(keys: str) -> list[str]:
    return [key for key in map(str.strip, keys.split(",")) if key]


def _entry(command: Command, key: str) -> str:
    return f'{command.name} = "{key}"'


def _spelled(keys: Iterable[str]) -> str:
    return ", ".join(map(spelled_key, keys))


def _composer_keys() -> dict[str, str]:
    """Return the keys with which text is edited, and what they do.

    Default keys of commands are not among them: the composer passes them on.
    """
    ours = {key for command in COMMANDS for key in _split(command.key)}
    return {k: v for k, v in _does(Composer).items() if k not in ours}


def _pane_keys(*, vi: bool) -> dict[str, str]:
    """Return the keys of the conversation that are not commands, and what they do."""
    ours = {key for command in COMMANDS for key in _split(command.key)}
    return {
        key: does
        for key, does in _does(Transcript).items()
        if key not in ours and (vi or not does.startswith("Vi: "))
    }


def _does(widget: "type[Composer | Transcript]") -> dict[str, str]:
    return {it.key: it.description for it in _bindings(widget) if not it.id}


def _bindings(widget: "type[Composer | Transcript]") -> list[Binding]:
    found: BindingsMap | None = widget._merged_bindings  # pyright: ignore[reportPrivateUsage]: there is no other way to read them without a widget
    by_key = found.key_to_bindings if found else {}
    return [binding for bindings in by_key.values() for binding in bindings]
