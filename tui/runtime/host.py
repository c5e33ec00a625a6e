"""Sets up the log, models, tools and runner of a process.

`cli` builds the host from the configuration and passes it to the app; the host knows
nothing about screens. A part that cannot be set up becomes a line for the user, and the
rest works.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec

from tui import config, paths
from tui.config import Config, ModelConfig
from tui.errors import ConfigError
from tui.eventlog import EventLog, open_log
from tui.events import TurnRequested
from tui.i18n import _
from tui.mcp import Servers
from tui.messages import ToolSchema
from tui.models.catalog import ModelCatalog
from tui.runtime.resuming import RESUMES
from tui.runtime.runner import Runner
from tui.spelling import nearest

if TYPE_CHECKING:  # imported after the first frame, which needs none of them
    from tui.agents import Agent
    from tui.runtime.titles import Titler
    from tui.tools import Tool
    from tui.tools.approval import Rules

ASKING_SECONDS = 5.0
"""Most seconds that a question waits for the user's tools; drafts wait behind it."""
LOADING_SECONDS = 30.0
"""Most seconds that a resumed turn waits until its tools are loaded."""


@dataclass
class _OwnTools:
    """The tools of a host, without those of MCP servers."""

    tools: "dict[str, Tool[..., object]]"
    """By name, bundled ones first."""
    bundled: "list[Tool[..., object]]"
    enabled: set[str]
    """The names of those that are on at the start."""


class Host:
    """Holds everything that one process needs to run turns.

    Call `start` first and `close` at the end. `problems` are lines for the user, from
    here and from the code that read the configuration.
    """

    def __init__(
        self,
        settings: Config,
        problems: Sequence[str] = (),
        log: Path | None = None,
        *,
        config_file: Path | None = None,
        temporary: bool = False,
    ) -> None:
        """Hold what `settings` describe, which come from `config_file`.

        None stands for the user's config.toml, and for the log of the user. With
        `temporary`, conversations are in memory only, and there are no others.
        """
        self.config = settings
        self.config_file = config_file or paths.config_file()
        self.problems = list(problems)
        self.last_words: list[str] = []
        """Lines for the user from `close`; the caller shows them, as no screen can."""
        self.temporary = temporary
        path = log or paths.log_file()
        if temporary:
            self.log = EventLog(path, self.problems.append, source="", keeps=False)
        else:
            self.log = open_log(path, self.problems.append)
        self.models = ModelCatalog(settings)
        self.model = config.default_model(settings)
        self._own: _OwnTools | None = None
        self._making = threading.Lock()
        self._only: frozenset[str] = frozenset()
        """The tools that were asked for by name; empty means those that are on."""
        self.mcp = Servers(settings.mcp)
        """The MCP servers; whoever has a host starts them."""
        self._loaded = threading.Event()
        self._loading = False
        """Whether tools are about to be loaded that the first question may need."""
        self.runner = Runner(self.log, self._agent)
        self._titler: Titler | None = None

    @property
    def _known(self) -> "_OwnTools":
        """The tools but those of MCP servers; made at first use, in any thread."""
        with self._making:
            if self._own is None:
                from tui.tools import builtin

                tools = builtin(self.config.tools)
                enabled = set(tools) - set(self.config.tools.disabled)
                self._own = _OwnTools(tools, list(tools.values()), enabled)
            return self._own

    @property
    def tool_names(self) -> list[str] | None:
        """The names of `tools`, None while they are not imported."""
        return [tool.name for tool in self.tools] if self._own else None

    @property
    def tools(self) -> "list[Tool[..., object]]":
        """The available tools, bundled ones first, those of MCP servers last."""
        own = self._known.tools
        served = {tool.name: tool for tool in self.mcp.tools}
        return [*own.values(), *(t for n, t in served.items() if n not in own)]

    @property
    def enabled(self) -> set[str]:
        """The names of the tools that are on at the start, for a model that has all."""
        served = {tool.name for tool in self.mcp.tools}
        if self._only:
            return self._known.enabled | (served & self._only)
        return self._known.enabled | (served - set(self.config.tools.disabled))

    @property
    def keeps(self) -> bool:
        """Whether messages survive the process, because the store could be opened."""
        return self.log.keeps

    def make_titles(self) -> None:
        """Have models title conversations, as configured. Call it before `start`."""
        if self.config.titles != "model":
            return
        from tui.runtime.titles import Titler

        self._titler = self.runner.background = Titler(
            self.log, self.models, self.runner.is_idle, self._prefix
        )

    def _prefix(self, request: TurnRequested) -> tuple[str, list[ToolSchema]]:
        """Return the system prompt and the tools with which a turn was answered."""
        from tui.tools import ToolBox

        box = ToolBox(self.tools)
        names = [name for name in request.tools if name in box]
        return self.config.system, box.select(names).schemas()

    def start(self) -> None:
        """Start to run turns."""
        self.runner.start()

    def add_model(self, name: str, settings: ModelConfig, *, default: bool) -> None:
        """Add a model to the configuration of this process. Any thread.

        `default`: it is the model of new conversations from now on.
        """
        self.models.add(name, settings)
        models = self.config.models | {name: settings}
        model = name if default else self.config.model
        self.config = msgspec.structs.replace(self.config, models=models, model=model)

    @property
    def has_own_tools(self) -> bool:
        """Whether the user has tool files for `load_tools`."""
        folder = paths.tools_folder()
        return bool(self.config.tools.files) or any(folder.glob("*.py"))

    def expect_tools(self) -> None:
        """Have questions wait for `load_tools`, which will be called soon."""
        self._loading = True

    def wait_for_tools(self) -> None:
        """Wait for tools that are expected, for `ASKING_SECONDS` at most. Blocks."""
        if self._loading:
            self._loaded.wait(ASKING_SECONDS)

    def load_tools(self, only: Sequence[str] = ()) -> None:
        """Load the user's own tools, which runs their code.

        They come from the tools folder, the configured files and installed packages.
        `only`, if not empty, names the tools to enable: FILE.py is all tools of a file,
        FILE.py:function and module:function are what they name, `none` means no tool. A
        module may be in the working folder. A tool that cannot be loaded is added to
        `problems`, unless `only` has all that was wanted. Raises `ConfigError` for a
        name in `only` that does not exist.
        """
        try:
            self._load_all(only)
        finally:
            self._loaded.set()

    def _load_all(self, only: Sequence[str]) -> None:
        from tui.tools import installed_tools, load_tools, process_guard, process_state
        from tui.tools.loading import is_source

        process_guard.install()
        process_state.ignore_timers()
        known = self._known
        folder = paths.tools_folder()
        files = sorted(folder.glob("*.py")) if folder.is_dir() else []
        sources = [name for name in only if is_source(name)]
        loaded = load_tools(sources, Path.cwd() if sources else None)
        asked = self._add(loaded.tools)
        own = load_tools([*files, *self.config.tools.files]), installed_tools()
        found = [name for each in own for name in self._add(each.tools)]
        failed = [str(error) for each in own for error in each.errors]
        if loaded.errors:
            raise loaded.errors[0]
        names = [name for name in only if not is_source(name) and name != "none"]
        for name in names:
            if name not in known.tools and not self.mcp.may_have(name):
                self.problems += failed  # it may be in one of these
                hint = nearest(name, known.tools)
                raise ConfigError(
                    _('There is no tool "{name}".{hint}').format(name=name, hint=hint)
                )
        if only:
            self._only = frozenset(only)
            known.enabled = {*(n for n in names if n in known.tools), *asked}
        else:
            self.problems += failed
            known.enabled |= set(found) - set(self.config.tools.disabled)
        for name in self.config.tools.disabled:
            if name not in known.tools and not self.mcp.may_have(name):
                hint = nearest(name, known.tools)
                self.problems.append(
                    _('[tools] disabled: there is no tool "{name}".{hint}').format(
                        name=name, hint=hint
                    )
                )

    def enabled_for(self, model: str) -> set[str]:
        """Return the names of the tools that are on at the start with a model.

        A real model has no demo data, which it would tell as facts. The starter has no
        bundled tools that ask: it is too small to be trusted with them.
        """
        if self._only:
            return set(self.enabled)
        from tui.tools import is_demo

        known = self._known
        off: set[str] = set()
        if not self.models.is_demo(model):
            off |= {tool.name for tool in known.tools.values() if is_demo(tool)}
        if self.models.is_starter(model):
            off |= {t.name for t in known.bundled if self._asks(t)}
        return self.enabled - off

    def _asks(self, tool: "Tool[..., object]") -> bool:
        """Whether a bundled tool, not one of the user's in its place, asks first."""
        policy = self.config.tools.policy.get(tool.name, tool.policy)
        return self._known.tools.get(tool.name) is tool and policy == "ask"

    def _add(self, tools: "Sequence[Tool[..., object]]") -> list[str]:
        self._known.tools |= {tool.name: tool for tool in tools}
        return [tool.name for tool in tools]

    def close(self, *, cancel: bool = True) -> None:
        """Wait for running turns (with `cancel`, stop them first); close everything."""
        if self._titler:
            self._titler.close()
        self.runner.close(cancel=cancel)
        self.mcp.close()
        self.models.close()
        said = len(self.problems)
        self.log.close()
        self.last_words = self.problems[said:]

    def _rules(self, request: TurnRequested) -> "Rules":
        """Return what decides over the calls of a turn."""
        from tui.tools.approval import Rules, parse_flags

        def texts(option: str) -> list[str]:
            given: Any = request.options.get(option)
            many = cast(list[Any], given) if isinstance(given, list | tuple) else []
            return [str(each) for each in many]

        return Rules(
            self.config.tools.policy,
            parse_flags(texts("allow")),
            parse_flags(texts("deny")),
            attended=request.options.get("attended") is not False,
        )

    def _agent(self, request: TurnRequested) -> "Agent":
        """Return what answers a request; raises `ConfigError` if nothing does."""
        from tui.agents import AGENTS, SummaryAgent  # slow, as they import the gate
        from tui.tools import ToolBox

        if request.agent == "summary":
            keep = str(request.options.get("keep", ""))
            model = self.models.get(request.model)
            return SummaryAgent(model, keep, self.config.system)
        if request.agent not in AGENTS:
            hint = nearest(request.agent, list(AGENTS))
            raise ConfigError(
                _('There is no agent "{agent}".{hint}').format(
                    agent=request.agent, hint=hint
                )
            )
        if RESUMES in request.options:
            self._loaded.wait(LOADING_SECONDS)
        box = ToolBox(
            self.tools,
            timeout=self.config.tools.timeout,
            rules=self._rules(request),
        )
        return AGENTS[request.agent](
            self.models.get(request.model),
            box.select(name for name in request.tools if name in box),
            self.config.max_rounds,
            self.config.system,
        )
