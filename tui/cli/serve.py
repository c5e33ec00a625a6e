"""`lazychat serve`: the app in a browser."""

import signal
import sys
from collections.abc import Sequence

from tui.cli import background, streams
from tui.cli.codes import CANCELLED, DONE
from tui.config import Config
from tui.errors import LazychatError
from tui.i18n import _
from tui.runtime.host import Host
from tui.runtime.served import Served, ServedModel
from tui.web import WebServer


def serve(
    settings: Config,
    *,
    host: str,
    port: int,
    pages: int,
    tools: Sequence[str] = (),
    config: str = "",
) -> int:
    """Serve until Ctrl+C or SIGTERM; return the exit code.

    Turns run in this process and the app's screens in others, one for each page. After
    a hang-up running turns end first. `config` is the file of `settings`, "" for the
    user's own.
    """
    me = Host(settings)
    try:
        if not me.keeps:
            raise LazychatError(me.problems[0])
        me.load_tools(tools)
        for problem in me.problems:
            streams.talk(problem)
        server = WebServer(
            lambda: _describe(me, config), host=host, ports=port, pages=pages
        )
        try:
            with background.ended_by_signal(signal.SIGHUP):
                _serve(me, server)
        except SystemExit as end:
            if end.code != 128 + signal.SIGINT:
                return DONE
            if sys.stderr.isatty():
                print(file=sys.stderr)  # the terminal has written ^C
            server.stop()
            streams.talk(_("Stopped; the conversations are kept"))
            return CANCELLED
        finally:
            server.stop()
        return DONE
    finally:
        me.close()


def _serve(me: Host, server: WebServer) -> None:
    """Serve until a signal ends it by `SystemExit`, or a hang-up and the last turn."""
    try:
        me.make_titles()
        me.start()
        me.mcp.start()
        server.start()
        tell(server)
        me.models.preload(me.model)
        me.models.warm(me.model, [tool.schema for tool in me.tools])
        background.wait_for_signal()
    except SystemExit as end:
        if end.code != 128 + signal.SIGHUP:
            raise
        background.let_go()
        server.stop()
        me.runner.finish()


def tell(server: WebServer) -> None:
    """Print the address to open, and how it is reached from elsewhere."""
    print(server.url, flush=True)
    if server.is_local:
        streams.talk(
            _(
                "Open that address in a browser. From another machine, first run ssh "
                "-L {port}:localhost:{port} THIS_MACHINE, and use localhost in the "
                "address. Ctrl+C stops the server."
            ).format(port=server.port)
        )
    else:
        streams.talk(
            _(
                "The connection is not encrypted: anyone who can read it can use the "
                "chat. Without --host, only this machine can connect, and others "
                "through ssh -L."
            )
        )


def _describe(host: Host, config: str) -> Served:
    models = host.models
    return Served(
        host.runner.id,
        host.model,
        {
            name: ServedModel(
                models.about(name),
                models.note(name),
                models.window(name),
                tuple(sorted(host.enabled_for(name))),
            )
            for name in dict.fromkeys((*models.names, host.model))
        },
        tuple(tool.schema for tool in host.tools),
        tuple(sorted(host.enabled_for(host.model))),
        host.config.stream,
        host.config.agent,
        config,
        {
            tool.name: host.config.tools.policy.get(tool.name, tool.policy)
            for tool in host.tools
        },
    )
