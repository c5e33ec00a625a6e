"""An MCP server that misbehaves, in plain JSON-RPC on its standard streams.

It needs nothing but Python, so that it can do what no library lets a server do. Its
arguments say how it begins: `slow` never answers, `dies` ends at once, `brief` ends
when it has told its tools, `rubbish` prints other things between its messages,
`bad-tools` offers what cannot be used.
"""

import json
import os
import sys
import time
from typing import Any

HOW = set(sys.argv[1:])
TEXT = {"type": "object", "properties": {"text": {"type": "string"}}}
ESCAPES = "\x1b[31mred\x1b[0m \x1b]52;c;aGk=\x07 [bold]markup[/bold] \u202egnirts"


def send(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def tool(name: str, about: str = "", **more: Any) -> dict[str, Any]:
    return {"name": name, "description": about or name, "inputSchema": TEXT, **more}


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"type": "object"}
    for _ in range(levels):
        value = {"type": "object", "properties": {"in": value}}
    return value


TOOLS = [
    tool("die", "Ends in the middle of the call."),
    tool("hang", "Never answers."),
    tool("large", "Sends 10 MB."),
    tool("huge", "Sends a message of 20 MB."),
    tool("change", "Changes the tools."),
    tool("escapes", ESCAPES, annotations={"readOnlyHint": True}),
    tool("fail", "Says that it failed.", annotations={"destructiveHint": True}),
    tool("chatter", "Logs and reports 5000 times."),
    tool("ask", "Asks the user."),
    tool("odd", "Answers with what is no result."),
    tool("echo", "Returns its arguments."),
    tool("cancelled", "Returns the requests that were cancelled."),
    tool("stdout", "Prints rubbish on stdout."),
    tool("picture", "Returns `text`, a base64 picture, and what is none."),
]
CANCELLED: list[Any] = []


def listed() -> list[dict[str, Any]]:
    if "bad-tools" in HOW:
        return [
            {"name": "deep", "inputSchema": deep(100)},
            {"name": "wide", "inputSchema": {"type": "object", "x": "y" * 100_000}},
            {"name": "", "inputSchema": TEXT},
            tool("twice"),
            tool("twice"),
            tool("with space/and slash"),
            tool("n" * 200),
            *(tool(f"t{n}") for n in range(300)),
        ]
    return TOOLS


def text(id: Any, content: str, **more: Any) -> None:
    result = {"content": [{"type": "text", "text": content}], **more}
    send({"id": id, "result": result})


def call(id: Any, name: str, arguments: Any, token: Any) -> None:
    match name:
        case "die":
            print("the disk is on fire", file=sys.stderr, flush=True)
            os._exit(7)
        case "large":
            text(id, "x" * 10_000_000)
        case "huge":
            text(id, "x" * 20_000_000)
        case "change":
            TOOLS.append(tool("added", "Was not there before."))
            TOOLS[:] = [each for each in TOOLS if each["name"] != "large"]
            for each in TOOLS:
                if each["name"] == (arguments or {}).get("text"):
                    each["description"] = "Deletes everything."
            send({"method": "notifications/tools/list_changed"})
            text(id, "changed")
        case "escapes":
            text(id, ESCAPES)
        case "fail":
            text(id, f"no such row {ESCAPES}", isError=True)
        case "chatter":
            for n in range(5000):
                log = {"level": "info", "data": f"line {n} {ESCAPES}"}
                send({"method": "notifications/message", "params": log})
                done = {"progressToken": token, "progress": n, "total": 5000}
                send({"method": "notifications/progress", "params": done})
                print(f"stderr {n}", file=sys.stderr)
            text(id, "done")
        case "ask":
            properties = {
                "name": {"type": "string", "title": "Your name"},
                "age": {"type": "integer", "minimum": 18},
                "colour": {"type": "string", "enum": ["red", "blue"]},
            }
            schema = {"type": "object", "properties": properties, "required": ["name"]}
            params = {"message": f"Who are you? {ESCAPES}", "requestedSchema": schema}
            ask = {"id": f"ask-{id}", "method": "elicitation/create", "params": params}
            send(ask)
            ASKED.append(id)
        case "odd":
            send({"id": id, "result": {"content": "not a list"}})
        case "echo":
            text(id, json.dumps(arguments))
        case "cancelled":
            text(id, json.dumps(CANCELLED))
        case "stdout":
            print("\x1b[2Jrubbish {not json", flush=True)
            print(json.dumps([1, 2, 3]), flush=True)
            text(id, "printed")
        case "picture":
            drawn = {
                "type": "image",
                "data": arguments["text"],
                "mimeType": "image/png",
            }
            blob = {"uri": "x://1", "mimeType": "image/png", "blob": drawn["data"]}
            content = [
                {"type": "text", "text": "a dot"},
                drawn,
                {"type": "resource", "resource": blob},
                {"type": "image", "data": "bm9uZQ==", "mimeType": "image/tiff"},
                {"type": "image", "data": "!", "mimeType": "image/png"},
            ]
            send({"id": id, "result": {"content": content}})
        case _:
            pass  # hangs


ASKED: list[Any] = []


def handle(message: dict[str, Any]) -> None:
    id, method = message.get("id"), message.get("method")
    params = message.get("params") or {}
    match method:
        case "initialize":
            capabilities = {"tools": {"listChanged": True}, "logging": {}}
            info = {"name": "fake", "version": "1"}
            version = params["protocolVersion"]
            result = {
                "protocolVersion": version,
                "capabilities": capabilities,
                "serverInfo": info,
            }
            send({"id": id, "result": result})
        case "tools/list":
            send({"id": id, "result": {"tools": listed()}})
            if "brief" in HOW:
                os._exit(0)
        case "tools/call":
            token = (params.get("_meta") or {}).get("progressToken")
            call(id, params["name"], params.get("arguments"), token)
        case "notifications/cancelled":
            CANCELLED.append(params.get("requestId"))
        case "logging/setLevel":
            send({"id": id, "result": {}})
        case None if ASKED and str(id).startswith("ask-"):
            text(ASKED.pop(), json.dumps(message.get("result")))
        case _:
            if id is not None and method:
                error = {"code": -32601, "message": "Method not found"}
                send({"id": id, "error": error})


def main() -> None:
    if "dies" in HOW:
        print("cannot find its \x1b[31mconfiguration", file=sys.stderr, flush=True)
        sys.exit(3)
    if "stubborn" in HOW:
        import signal

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "slow" in HOW:
        time.sleep(10_000)
    if "rubbish" in HOW:
        print("Welcome to my server!\n\n{", flush=True)
    for line in sys.stdin:
        handle(json.loads(line))
    while "stubborn" in HOW:
        time.sleep(1)


if __name__ == "__main__":
    main()
