"""The dialog in which the user chooses an agent."""

from tui import agent_names
from tui.app.dialogs.choice import ChoiceScreen


class AgentScreen(ChoiceScreen):
    """Lists the agents; returns the chosen name, None for Esc."""

    def __init__(self, current: str) -> None:
        super().__init__(
            "Choose how answers are made",
            agent_names.ABOUT,
            current,
            'It stays for new conversations; agent = "..." in config.toml keeps it.',
        )
