"""The bundled tool that fetches pages: what it reads, and where it does not go.

The refusals are a corpus of addresses that lead, in any spelling, to this machine, to
private networks or to the credentials of a cloud.
"""

import gzip
import ipaddress
import socket
import threading
from collections.abc import Callable, Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tui.errors import ToolError
from tui.events import ToolCallFinished
from tui.messages import ToolCall
from tui.tools import Tool, ToolBox
from tui.tools.bundled import addresses, http_get
from tui.tools.bundled.fetching import Fetching
from tui.tools.bundled.page_text import decode, text_of
from tui.turn import Turn

# -- where it does not go

REFUSED = [
    "http://127.0.0.1/",
    "http://127.0.0.1:8080/admin",
    "https://127.0.0.1/",
    "http://127.0.0.1./",
    "http://127.1/",
    "http://127.0.1/",
    "http://127.255.255.254/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7F.0x0.0x0.0x1/",
    "http://0x7f.1/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://0177.0x0.0.1/",
    "http://00000177.0.0.1/",
    "http://127.0.0.01/",
    "http://１２７.０.０.１/",
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
    "http://127｡0｡0｡1/",
    "http://0/",
    "http://0.0.0.0/",
    "http://0.1.2.3/",
    "http://[::1]/",
    "http://[::]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[0000::1]:80/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[::7f00:1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b::a00:1]/",
    "http://[64:ff9b:1::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a00:1::1]/",
    "http://[2001:0:7f00:1::]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::5efe:127.0.0.1]/",
    "http://[fec0::1]/",
    "http://[fc00::1]/",
    "http://[fd12:3456::1]/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://[100::1]/",
    "http://10.0.0.1/",
    "http://10.255.255.255/",
    "http://167772161/",
    "http://012.0.0.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://0xc0a80101/",
    "http://100.64.0.1/",
    "http://169.254.1.1/",
    "http://192.0.0.8/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://198.51.100.7/",
    "http://203.0.113.9/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://localhost/",
    "http://LOCALHOST/",
    "http://localhost./",
    "http://ｌｏｃａｌｈｏｓｔ/",
    "http://localhost:11434/api/tags",
    "http://foo.localhost/",
    "http://router.local/",
    "http://printer/",
    "http://metadata.google.internal/",
    "http://[64:ff9b::169.254.169.254]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[2001:0:a9fe:a9fe::]/",
    "http://[::ffff:0.0.0.0]/",
    "http://[5f00::1]/",
    "http://[3fff::1]/",
    "http://[2606:4700::5efe:7f00:1]/",
    "http://[2606:4700:0:0:200:5efe:10.0.0.1]/",
    "http://①⑥⑨.254.169.254/",
    "http://127\u00ad.0.0.1/",
    "http://127.0.0.1\ufe52/",
    "http://loc\u00adalhost/",
    "http://localhost\u3002/",
    "http://127\uff0e0\uff0e0\uff0e1/",
    "http://0x7f000001./",
    "http://0300.0250.1.1/",
    "http://0xc0.0xa8.1/",
    "http://3232235777/",
    "http://instance-data/",
    "http://1.1.1.1@127.0.0.1/",
    "http://user@127.0.0.1/",
    "http://example.com@127.0.0.1/",
    "http://example.com:80@127.0.0.1/",
    "http://example.com%40@127.0.0.1/",
    "http://a:b@c@127.0.0.1/",
    *(
        f"http://{spelling}/latest/meta-data/"
        for spelling in (
            *("169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376"),
            *("169.254.43518", "[::ffff:169.254.169.254]", "[fd00:ec2::254]"),
            *("100.100.100.200", "168.63.129.16", "169.254.170.2", "192.0.0.192"),
        )
    ),
]

NO_ADDRESSES = [
    "",
    "example.com",
    "//example.com/",
    "/etc/passwd",
    "file:///etc/passwd",
    "FILE:///etc/passwd",
    "ftp://example.com/",
    "gopher://127.0.0.1:6379/_INFO",
    "dict://127.0.0.1:11211/",
    "data:text/html,hello",
    "javascript:alert(1)",
    "jar:http://example.com!/",
    "http:/example.com",
    "http:example.com",
    "http://",
    "http:///path",
    "http://?x",
    "http://#x",
    "http://exa mple.com/",
    "http://example.com/\r\nHost: localhost",
    "http://example.com\t.localhost/",
    "http://example.com\\@127.0.0.1/",
    "http:\\\\127.0.0.1/",
    "http://%31%32%37.0.0.1/",
    "http://127%2e0%2e0%2e1/",
    "http://example.com:99999/",
    "http://example.com:-1/",
    "http://example.com:0/",
    "http://example.com:http/",
    "http://[::1/",
    "http://[::g]/",
    "http://[127.0.0.1]/",
    "http://1.2.3.4.5/",
    "http://256.256.256.256/",
    "http://0x/",
    "http://08.0.0.1/",
    "http://127.0.0.1.1/",
    "http://-a.com/",
    "http://a..com/",
    "http://" + "a" * 300 + ".com/",
    "http://example.com/" + "a" * 5000,
    "http://ex\u200bample.com\x00/",
    "http://\ud800.com/",
]


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Fail on any connection; returns the names that were looked up."""
    asked: list[Any] = []

    def connect(*arguments: object) -> None:
        raise AssertionError(f"connected: {arguments}")

    def look_up(host: str, *_: object, **__: object) -> list[Any]:
        asked.append(host)
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


@pytest.mark.parametrize("url", REFUSED)
def test_no_spelling_leads_to_a_private_address(no_network: list[Any], url: str):
    with pytest.raises(ToolError, match="is refused: it is") as fetched:
        Fetching(private=False).fetch_url(url)
    with pytest.raises(ToolError, match="is refused: it is"):
        Fetching(private=False).preview(url)

    assert no_network == []
    assert str(fetched.value).isprintable()


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_what_is_no_address_is_refused(no_network: list[Any], url: str):
    for private in (False, True):
        with pytest.raises(ToolError) as error:
            Fetching(private).fetch_url(url)
        assert str(error.value).isprintable()
        assert len(str(error.value)) < 400
    assert no_network == []


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://169.254.169.254/latest",
            "http://[fd00:ec2::254]/",
            "http://224.0.0.1",
        ),
        *(
            "http://0xa9fea9fe/",
            "http://[::ffff:169.254.169.254]/",
            "http://[ff02::1]/",
        ),
        *(
            "http://[fd00:ec2::254%1]/",
            "http://[fe80::a9fe:a9fe%1]/",
            "http://[::ffff:0:169.254.169.254]/",
            "http://[64:ff9b:1::a9fe:a9fe]/",
        ),
    ],
)
def test_credentials_of_a_cloud_are_refused_whatever_is_configured(no_network, url):
    with pytest.raises(ToolError, match="is refused"):
        Fetching(private=True).fetch_url(url)


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://example.com", "https://example.com/"),
        ("HTTPS://EXAMPLE.com:443/a?b=c#d", "https://example.com/a?b=c"),
        ("http://user:secret@example.com/a", "http://example.com/a"),
        ("http://127.0.0.1:80@example.com/", "http://example.com/"),
        ("http://example.com/#@127.0.0.1/", "http://example.com/"),
        ("http://example.com?@127.0.0.1/", "http://example.com/?@127.0.0.1/"),
        (
            "https://bücher.example/ä b".replace(" ", ""),
            "https://xn--bcher-kva.example/%C3%A4b",
        ),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
        ("http://134744072/", "http://134744072/"),
        ("https://[2606:4700:0::1111]/", "https://[2606:4700::1111]/"),
        ("http://example.com:8080/%41?q=%20", "http://example.com:8080/%41?q=%20"),
    ],
)
def test_the_preview_is_the_address_that_is_fetched(url: str, sent: str):
    preview = Fetching(private=False).preview(url)

    assert preview == type(preview)("address", sent, sent)


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"],
        ["10.1.2.3"],
        ["93.184.216.34", "127.0.0.1"],
        ["::1"],
        ["::ffff:10.0.0.1"],
        ["169.254.169.254"],
        ["2606:4700::1", "fe80::1"],
    ],
)
def test_a_name_of_a_private_address_is_refused(
    no_network, monkeypatch: pytest.MonkeyPatch, found: list[str]
):
    entries = [(0, 0, 0, "", (address, 80)) for address in found]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: entries)

    with pytest.raises(ToolError, match=r"evil\.example\.com is refused"):
        Fetching(private=False).fetch_url("http://evil.example.com/")


def test_a_name_that_is_not_found_is_named(no_network):
    with pytest.raises(ToolError) as error:
        Fetching(private=False).fetch_url("http://nowhere.example.com/")

    said = "nowhere.example.com is not found: name or service not known"
    assert str(error.value) == said


# -- a real server

Answer = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def serve() -> Generator[Callable[[Answer], str]]:
    """Start a server on this machine; returns its address."""
    servers: list[ThreadingHTTPServer] = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(self)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.block_on_close = False
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def page(
    body: bytes, kind: str = "text/html", status: int = 200, **headers: str
) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        if kind:
            handler.send_header("Content-Type", kind)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


HTML = b"""<!doctype html><title>The &amp; title</title><style>p {}</style>
<script>if (a < b) alert("x")</script><nav><ul><li>One<li>Two</ul></nav>
<h1>Head</h1><p>Some <b>bold</b>
text&nbsp;here.</p><template><p>hidden</template><p>End</p>"""


def test_the_text_of_a_page_is_returned(serve):
    url = serve(page(HTML))

    said = Fetching(private=True).fetch_url(f"{url}/a")

    assert said == (
        f"{url}/a\n\nThe & title\n\n- One\n- Two\nHead\nSome bold\ntext here.\nEnd"
    )


def test_a_server_of_this_machine_is_refused_unless_it_is_allowed(serve):
    url = serve(page(HTML))

    with pytest.raises(ToolError) as error:
        Fetching(private=False).fetch_url(url)

    assert str(error.value) == (
        "127.0.0.1 is refused: it is 127.0.0.1, which is not a public address; "
        "[tools] private_addresses allows it"
    )


def test_the_connection_goes_to_the_address_that_was_checked(
    serve, monkeypatch: pytest.MonkeyPatch
):
    """The name server answers anew each time: first allowed, then not."""
    url = serve(page(b"reached", "text/plain"))
    port = int(url.rpartition(":")[2])
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])

    def look_up(*_: object, **__: object) -> list[Any]:
        return [(0, 0, 0, "", (address, port)) for address in next(answers)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(addresses, "_is_private", lambda a: a.packed[0] == 10)

    said = Fetching(private=False).fetch_url(f"http://rebind.example.com:{port}/")

    assert said.endswith("reached")
    assert next(answers) == ["10.0.0.1"]  # never asked again


@pytest.mark.parametrize(
    "place",
    [
        *("http://127.0.0.2:1/", "http://2130706433/", "//[::1]/", "http://10.0.0.1"),
        *(
            "http://localhost/",
            "file:///etc/passwd",
            "http://169.254.169.254/",
            "ftp://x",
        ),
    ],
)
def test_each_redirect_is_checked(serve, monkeypatch: pytest.MonkeyPatch, place: str):
    url = serve(page(b"", status=302, Location=place))
    only = int(url.rpartition(":")[2])
    monkeypatch.setattr(
        addresses,
        "_is_private",
        lambda address: address != ipaddress.ip_address("127.0.0.1"),
    )
    connected: list[object] = []
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        connected.append(address)
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    if "2130706433" in place:  # is 127.0.0.1 itself, but on another port
        monkeypatch.setattr(addresses, "_METADATA", frozenset())
        place = "http://10.0.0.1"

    with pytest.raises(ToolError):
        Fetching(private=False).fetch_url(url)

    assert connected[0] == ("127.0.0.1", only)
    reached = [str(address[0]) for address in connected if isinstance(address, tuple)]
    assert not {"10.0.0.1", "169.254.169.254"} & set(reached)


def test_redirects_are_followed_and_told(serve):
    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/start":
            page(b"", status=301, Location="next?a=b c#d")(handler)
        else:
            page(handler.path.encode(), "text/plain")(handler)

    url = serve(answer)

    assert Fetching(True).fetch_url(f"{url}/start") == (
        f"{url}/next?a=b%20c\n\n/next?a=b%20c"
    )


def test_another_host_is_not_followed_but_named(serve):
    there = serve(page(b"there", "text/plain")).replace("127.0.0.1", "localhost")
    here = serve(page(b"", status=302, Location=f"{there}/page"))

    with pytest.raises(ToolError, match=f"another host; fetch {there}/page itself"):
        Fetching(True).fetch_url(here)


def test_a_circle_of_redirects_ends(serve):
    url = serve(page(b"", status=302, Location="/again"))

    with pytest.raises(ToolError, match="redirects more than 5 times"):
        Fetching(True).fetch_url(url)


def test_no_credentials_are_sent(serve):
    seen: list[tuple[str, dict[str, str]]] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        seen.append((handler.path, dict(handler.headers)))
        page(b"ok", "text/plain")(handler)

    url = serve(answer).replace("http://", "http://user:secret@")

    said = Fetching(True).fetch_url(f"{url}/a?b#c")

    ((path, headers),) = seen
    assert path == "/a?b"
    assert headers.keys() == {
        *("Host", "User-Agent", "Accept", "Accept-Encoding", "Connection")
    }
    assert "secret" not in said + str(headers)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (page(b"x", "image/png"), r"is image/png \(1 bytes\), not text"),
        (page(b"x", "application/octet-stream"), "not text"),
        (page(b"a\0b", "text/plain"), "is not text"),
        (page(b"a\0b", ""), "is not text"),
        (page(b"no", status=404), "answered with status 404"),
        (page(b"no", status=500), "answered with status 500"),
        (page(b"no gzip", Content_Encoding="gzip"), "cannot be unpacked"),
        (page(b"x", Content_Encoding="br"), "packed as br"),
        (lambda handler: handler.wfile.write(b"\0\1 nonsense"), "not an HTTP answer"),
        (lambda handler: handler.connection.close(), "127"),
        (
            lambda handler: handler.wfile.write(
                b"HTTP/1.1 200 OK\r\nA: " + b"x" * 99999
            ),
            "not an HTTP answer",
        ),
    ],
)
def test_what_is_no_page_is_said_in_a_line(serve, answer, why):
    url = serve(answer)

    with pytest.raises(ToolError, match=why) as error:
        Fetching(True).fetch_url(url)

    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("café".encode("latin-1"), "text/plain; charset=latin-1", "café"),
        ("café".encode("utf-16"), "text/plain", "café"),
        (b"\xef\xbb\xbfcaf\xc3\xa9", "text/plain", "café"),
        (b'<meta charset="latin-1"><p>caf\xe9', "text/html", "café"),
        (b"caf\xe9", "text/plain; charset=nonsense", "caf\ufffd"),
        (b"caf\xe9", "text/plain; charset=zlib", "caf\ufffd"),
        (b"caf\xe9 \x93x\x94", "text/plain", "café “x”"),
        (b"caf\xe9 \x81", "text/plain", "café \ufffd"),
        ("café".encode()[:-1], "text/plain", "caf"),
        (b"abc", "text/plain; charset*=utf-8'en'x; charset*0=a", "abc"),
        (b'{"a": 1}', "application/json", '{"a": 1}'),
        (b"<p>no kind</p>", "", "no kind"),
        (b"", "text/html", "[no text]"),
    ],
)
def test_the_character_set_is_respected(serve, body, kind, text):
    url = serve(page(body, kind))

    assert Fetching(True).fetch_url(url).partition("\n\n")[2] == text


def test_a_packed_page_is_unpacked_but_not_without_end(serve):
    small = serve(page(gzip.compress(b"<p>hello"), Content_Encoding="gzip"))
    bomb = serve(
        page(gzip.compress(b" " * 300_000_000 + b"x"), Content_Encoding="gzip")
    )

    assert Fetching(True).fetch_url(small).endswith("hello")
    assert len(Fetching(True).fetch_url(bomb)) < 1000


def test_a_long_page_comes_in_parts(serve):
    url = serve(page(b"".join(b"%09d\n" % n for n in range(3000)), "text/plain"))

    first = Fetching(True).fetch_url(url)
    second = Fetching(True).fetch_url(url, 18_000)

    assert first.endswith("[characters 0 to 18000 of 30000; go on with start=18000]")
    assert second.partition("\n\n")[2].startswith("000001800\n")
    assert second.endswith("000002999\n")


def test_an_endless_page_is_cut(serve, monkeypatch: pytest.MonkeyPatch):
    def answer(handler: BaseHTTPRequestHandler) -> None:
        page(b"")(handler)
        try:
            while True:
                handler.wfile.write(b"word " * 10_000)
        except OSError:
            pass

    said = Fetching(True).fetch_url(serve(answer))

    assert len(said) < 20_000


def stalls(release: threading.Event, start: bytes) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(start)
        handler.wfile.flush()
        release.wait(30)

    return answer


@pytest.mark.parametrize(
    "start", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\nso far"]
)
def test_a_server_that_never_ends_is_left(serve, monkeypatch, start: bytes):
    release = threading.Event()
    monkeypatch.setattr(http_get, "_SECONDS", 0.3)
    url = serve(stalls(release, start))

    try:
        with pytest.raises(ToolError, match=r"within 0\.3 seconds"):
            Fetching(True).fetch_url(url)
    finally:
        release.set()


def test_a_cancel_ends_the_connection(serve):
    release, turn = threading.Event(), Turn()
    gone = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        turn.cancel.request()
        if handler.connection.recv(1) == b"":
            gone.set()

    box = ToolBox([Tool(Fetching(True).fetch_url)])
    call = ToolCall("c", "fetch_url", {"url": serve(answer)})

    finished = [e for e in box.run(call, turn) if isinstance(e, ToolCallFinished)]

    assert finished[0].error == "cancelled"
    assert gone.wait(20)
    release.set()


# -- text of pages


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a<p>b", "a\nb"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<script>x</script>y", "y"),
        ("<script>x", ""),
        ("<svg><title>no</title></svg>yes", "yes"),
        ("<svg><svg></svg>no</svg>yes", "yes"),
        ("a &lt;b&gt; &#x41; &unknown;", "a <b> A &unknown;"),
        ("<table><tr><td>1<td>2</table>", "1\n2"),
        ("<p>1 < 2 and <3", "1 < 2 and <3"),
        ("</p></div></title>x", "x"),
        ("<!-- no -->x<!-- open", "x"),
    ],
)
def test_text_of_html(html: str, text: str):
    assert text_of(html).replace("<!-- open", "").strip() == text


@pytest.mark.parametrize(
    "piece", ["<", "<a", "<!--", "<div>", "&", "</", "<![CDATA[", '<a b="', "<script>"]
)
def test_hostile_pages_take_no_more_than_their_length(piece: str):
    assert len(text_of(piece * (200_000 // len(piece)))) < 300_000


def test_what_is_no_character_set_takes_no_time():
    # In punycode this would take half an hour.
    assert len(decode(b"a-" + b"b" * 2_000_000, "Punycode")) == 2_000_002
    assert decode(b"\\x41", "unicode-escape") == "\\x41"
    assert decode(b"a", "a\0b") == "a"


def test_a_number_that_python_does_not_read_is_left_as_it_is():
    number = "&#" + "1" * 5000 + ";"
    assert text_of(f"<p>a{number}</p><p>b &amp; c</p>") == f"a{number}\nb & c"


def test_bytes_are_decoded_without_an_error():
    assert decode(b"\xff\xfeh\0i\0", "") == "hi"
    assert decode(b"\xff", "utf-8") == "\ufffd"
