"""The dialog in which the user chooses an agent."""

from tui import agent_names
from tui.app.dialogs.choice import ChoiceScreen
from tui.i18n import _


class AgentScreen(ChoiceScreen):
    """Lists the agents; returns the chosen name, None for Esc."""

    def __init__(self, current: str) -> None:
        super().__init__(
            _("Choose how answers are made"),
            {name: _(about) for name, about in agent_names.ABOUT.items()},
            current,
            note=_(
                "Also used in new conversations until you quit; to keep it, set "
                "agent in config.toml"
            ),
        )
