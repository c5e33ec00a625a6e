"""The servers that people have, as they are published."""

import json
from pathlib import Path

from support.mcp import call, called, connected, progress, real, state


def test_the_time_server_tells_the_time():
    with connected(time=real("mcp-server-time")) as servers:
        result = call(servers, "time__get_current_time", timezone="Asia/Tokyo")
        wrong = call(servers, "time__get_current_time", timezone="Nowhere")

        assert json.loads(result.output)["timezone"] == "Asia/Tokyo"
        assert wrong.error is not None
        assert "Nowhere" in wrong.error


def test_the_fetch_server_fetches_from_a_server_of_ours(tmp_path: Path):
    import functools
    import http.server
    import threading

    (tmp_path / "page.html").write_text("<h1>Hello</h1><p>from a page</p>" * 3)
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=str(tmp_path)
    )
    handler.func.log_message = lambda *_: None  # type: ignore[method-assign]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{web.server_port}/page.html"
        settings = real(
            "mcp-server-fetch", "--ignore-robots-txt", "--allow-private-ips"
        )
        with connected(fetch=settings) as servers:
            result = call(servers, "fetch__fetch", url=url, raw=True)
            prompts = [prompt.slash for prompt in servers.prompts]
        web.shutdown()

    assert "from a page" in result.output
    assert prompts == ["/fetch:fetch"]


def test_the_filesystem_server_reads_only_its_folder(tmp_path: Path):
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "a.txt").write_text("the text")
    (tmp_path / "outside.txt").write_text("secret")
    settings = real("mcp-server-filesystem", str(tmp_path / "inside"))

    with connected(fs=settings) as servers:
        read = call(
            servers, "fs__read_text_file", path=str(tmp_path / "inside" / "a.txt")
        )
        refused = call(
            servers, "fs__read_text_file", path=str(tmp_path / "outside.txt")
        )
        tools = {tool.name: tool for tool in servers.tools}

    assert read.output == "the text"
    assert refused.error is not None
    assert "secret" not in refused.error
    assert tools["fs__read_text_file"].hints.startswith("changes nothing")
    assert {tool.policy for tool in tools.values()} == {"ask"}


def test_the_everything_server_works_in_all_we_use():
    with connected(all=real("mcp-server-everything")) as servers:
        long, events = called(
            servers, "all__trigger-long-running-operation", duration=1, steps=2
        )
        image = call(servers, "all__get-tiny-image")
        structured = call(servers, "all__get-structured-content", location="New York")
        prompt = next(p for p in servers.prompts if p.name == "args-prompt")
        text = servers.prompt_text(prompt, {"city": "Oslo"})
        resource = servers.read_resource("all", servers.resources[0].uri)

        assert state(servers, "all").phase == "ready"
        assert long.error is None
        assert progress(events) == ["1 of 2", "2 of 2"]
        assert [it.media_type for it in image.attachments] == ["image/png"]
        assert set(json.loads(structured.output)) == {
            "temperature",
            "conditions",
            "humidity",
        }
        assert "Oslo" in text
        assert resource[0].is_text
