"""The options of the commands for stored conversations."""

import argparse

from tui.cli.option_parser import Add, add_config, add_json, count
from tui.i18n import N_, _

_ID = N_("the id of a conversation, or an unambiguous prefix of it")


def _list(parser: argparse.ArgumentParser) -> None:
    _add_limit(parser)
    parser.add_argument(
        "--deleted",
        action="store_true",
        help=_("list deleted conversations that `undelete` can restore"),
    )
    add_json(parser)


def _search(parser: argparse.ArgumentParser) -> None:
    parser.description = _(
        'Finds messages that contain all WORDS, newest first. "Quote" a '
        "phrase; code matches as typed or by parts of names. The last word may "
        "be a prefix. Exits with 1 if there are none."
    )
    parser.add_argument("words", nargs="+", metavar="WORDS")
    _add_limit(parser)
    add_json(parser)


def _cost(parser: argparse.ArgumentParser) -> None:
    parser.description = _(
        "Prints the tokens that conversations have used, by model, and their cost, "
        "as reported by the server or from the prices in config.toml."
    )
    parser.add_argument(
        "id",
        nargs="?",
        default="",
        metavar="ID",
        help=_("{id} (default: all)").format(id=_(_ID)),
    )
    parser.add_argument(
        "--days", type=count, default=0, metavar="N", help=_("only the last N days")
    )
    add_json(parser)
    add_config(parser)


def _rename(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help=_(_ID))
    parser.add_argument("title", nargs="+", metavar="TITLE")


def _fork(parser: argparse.ArgumentParser) -> None:
    parser.description = _(
        "Copies a conversation into a new, independent one, and prints the id of "
        "the copy. An answer in progress is left out."
    )
    parser.add_argument("id", metavar="ID", help=_(_ID))
    parser.add_argument(
        "title",
        nargs="*",
        metavar="TITLE",
        help=_("default: the old title with (fork)"),
    )


def _pin(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help=_(_ID))
    parser.add_argument("--off", action="store_true", help=_("unpin"))


def _delete(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", nargs="+", metavar="ID", help=_(_ID))
    parser.add_argument(
        "-y", "--yes", action="store_true", help=_("do not ask for confirmation")
    )


def _undelete(parser: argparse.ArgumentParser) -> None:
    parser.description = _(
        "Restores a conversation that was deleted in the app within the last "
        "week. `lazychat delete` is permanent."
    )
    parser.add_argument(
        "id",
        nargs="?",
        default="",
        metavar="ID",
        help=_("{id} (default: the last)").format(id=_(_ID)),
    )


def _export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", nargs="*", metavar="ID", help=_(_ID))
    parser.add_argument("--all", action="store_true", help=_("all conversations"))
    parser.add_argument(
        "--format",
        choices=("md", "json"),
        help=_("default: from FILE's extension, else md"),
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help=_("write to FILE instead of standard output"),
    )
    parser.add_argument(
        "--force", action="store_true", help=_("overwrite an existing FILE")
    )


def _import(parser: argparse.ArgumentParser) -> None:
    parser.description = _(
        "Imports conversations from `export --format json` and prints their "
        "ids. Existing conversations are never overwritten: they are imported "
        "as copies."
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help=_("- means standard input")
    )


def _backup(parser: argparse.ArgumentParser) -> None:
    parser.description = _(
        "Copies the whole conversation store to FILE while it is in use. To "
        "restore it, quit lazychat, copy FILE over the store, and start "
        "lazychat."
    )
    parser.add_argument("file", metavar="FILE")
    parser.add_argument(
        "--force", action="store_true", help=_("overwrite an existing FILE")
    )


def _add_limit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-n",
        dest="limit",
        type=count,
        default=50,
        metavar="N",
        help=_("at most N; 0: all"),
    )


COMMANDS: dict[str, tuple[str, Add]] = {
    "list": (N_("list conversations, last used first"), _list),
    "search": (N_("search the messages of all conversations"), _search),
    "cost": (N_("show tokens and cost by model"), _cost),
    "rename": (N_("rename a conversation"), _rename),
    "fork": (N_("copy a conversation into a new one"), _fork),
    "pin": (N_("pin a conversation to the top of lists"), _pin),
    "delete": (N_("delete conversations permanently"), _delete),
    "undelete": (N_("restore a conversation that was deleted in the app"), _undelete),
    "export": (N_("write conversations to a file"), _export),
    "import": (N_("import exported JSON"), _import),
    "backup": (N_("copy the whole store to a file, even while in use"), _backup),
}
"""The help and the options of each command, in the order of `--help`."""
