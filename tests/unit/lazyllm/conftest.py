"""What the tests of LazyLLM's names share."""

import pytest

from tui import lazyllm, session
from tui.eventlog import EventLog
from tui.lazyllm import file_queue
from tui.models.suppliers import SUPPLIERS
from tui.tools import registry


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A log of its own, no tool, no key."""
    monkeypatch.setattr(registry, "_registered", {})
    monkeypatch.setenv("LAZYCHAT_HOME", str(tmp_path))
    for name in SUPPLIERS:
        for variable in lazyllm.online.variables_of(name):
            monkeypatch.delenv(variable, raising=False)
    for name in ("LAZYLLM_DEFAULT_SOURCE", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with EventLog(tmp_path / "log.db") as log, session.use(session.new_id()):
        monkeypatch.setattr(file_queue, "_default_log", [log])
        yield log
