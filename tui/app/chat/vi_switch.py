"""Switches vi keys on and off; the choice is kept in state.toml."""

from tui import paths
from tui.app import state
from tui.app.transcript.pane import Transcript
from tui.app.widgets.composer import Composer
from tui.config import Config


def is_on(config: Config, remembered: state.State) -> bool:
    """Return whether vi keys are on: as chosen last, or as configured."""
    return config.vi_keys if remembered.vi is None else remembered.vi


def keep(on: bool) -> None:
    """Keep the choice for later runs."""
    state.save(paths.state_file(), vi=on)


def apply(composer: Composer, transcript: Transcript, *, on: bool) -> None:
    """Switch the keys in both parts of a chat."""
    composer.vi.on = transcript.vi = on
