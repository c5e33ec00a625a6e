"""A company's gateway: a certificate authority and a proxy that the config names."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fakes.collect import collect
from support.fakes.sse_server import DONE, SSEServer, finish, text
from support.gateway import Authority, Proxy, needs_openssl

from tui import config
from tui.errors import ConfigError, LazychatError, ModelError
from tui.messages import Message
from tui.models.catalog import ModelCatalog
from tui.models.discovery import Routes, local_servers
from tui.models.setup import Place, model_at, models_at, place_of_server, try_model
from tui.turn import Turn

pytestmark = [needs_openssl, pytest.mark.usefixtures("home")]
URL = "https://llm.corp.example/v1"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "llm.corp.example")


@pytest.fixture
def gateway(authority: Authority) -> Iterator[SSEServer]:
    with SSEServer(authority.context) as server:
        server.json({"data": [{"id": "corp-large"}]}, path="/models")
        server.answer(text("Hello"), finish(), DONE)
        yield server


@pytest.fixture
def proxy(gateway: SSEServer) -> Iterator[Proxy]:
    with Proxy(gateway.port) as proxy:
        yield proxy


def catalog(**keys: object) -> ModelCatalog:
    """Return the models of a config.toml with `[models.work]`."""
    lines = [f"{key} = '{value}'" for key, value in keys.items()]
    head = f'[models.work]\nprovider = "openai"\nbase_url = "{URL}"\nmax_retries = 0\n'
    return ModelCatalog(config.parse(head + "\n".join(lines)))


def ask(models: ModelCatalog) -> str:
    """Return the answer of the model `work`."""
    try:
        model = models.get("work")
        _, reply = collect(model.generate([Message("user", "q")], (), Turn("t")))
    finally:
        models.close()
    return reply.message.text


def failure(models: ModelCatalog) -> str:
    """Return the one line that the model `work` fails with."""
    with pytest.raises(LazychatError) as raised:
        ask(models)
    message = str(raised.value)
    assert message.isprintable()
    return message


def test_the_config_names_authority_and_proxy(
    authority: Authority, proxy: Proxy
) -> None:
    models = catalog(ca_file=authority.certificate, proxy=proxy.url)

    assert ask(models) == "Hello"

    assert proxy.hosts == ["llm.corp.example:443"]


def test_a_proxy_needs_no_scheme(authority: Authority, proxy: Proxy) -> None:
    bare = proxy.url.removeprefix("http://")

    assert ask(catalog(ca_file=authority.certificate, proxy=bare)) == "Hello"


def test_the_config_comes_before_the_environment(
    authority: Authority, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file")
    monkeypatch.setenv("NO_PROXY", "*")

    models = catalog(ca_file=authority.certificate, proxy=proxy.url)

    assert ask(models) == "Hello"


def test_the_file_of_an_authority_may_begin_with_the_home_folder(
    authority: Authority, proxy: Proxy, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(authority.certificate.parent))

    models = catalog(ca_file="~/authority.pem", proxy=proxy.url)

    assert ask(models) == "Hello"


def test_without_the_authority_the_key_to_set_is_named(proxy: Proxy) -> None:
    message = failure(catalog(proxy=proxy.url))

    assert "its certificate is not valid" in message
    assert "ca_file" in message


def test_a_certificate_file_that_is_missing_is_named(proxy: Proxy) -> None:
    message = failure(catalog(ca_file="/no/such/ca.pem", proxy=proxy.url))

    assert "The ca_file /no/such/ca.pem cannot be used: no such file" in message
    assert proxy.hosts == []


def test_a_certificate_file_without_a_certificate_is_named(
    tmp_path: Path, proxy: Proxy
) -> None:
    (tmp_path / "notes.txt").write_text("not a certificate")

    message = failure(catalog(ca_file=tmp_path / "notes.txt", proxy=proxy.url))

    assert "notes.txt cannot be used: it has no certificate in PEM format" in message


def test_a_proxy_that_does_not_run_is_named_without_its_login(
    authority: Authority,
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    models = catalog(ca_file=authority.certificate, proxy=f"http://me:pa55word@{place}")

    message = failure(models)

    assert f"through the proxy http://{place}: connection refused" in message
    assert "pa55word" not in message


@pytest.mark.parametrize("proxy", ["ftp://proxy", "http://", "http://[::1", "a b://c"])
def test_what_is_no_proxy_is_refused_with_its_key(proxy: str) -> None:
    with pytest.raises(
        ConfigError, match=r"\[models.work\]: proxy .* is not the address of a"
    ):
        catalog(proxy=proxy).get("work")


def test_the_models_of_the_place_are_listed_and_tried_in_the_same_way(
    authority: Authority, proxy: Proxy
) -> None:
    place = Place("Corp", URL, ca_file=str(authority.certificate), proxy=proxy.url)

    [found] = models_at(place)
    chosen = model_at(place, found.id)
    try_model(chosen.settings)  # pyright: ignore[reportArgumentType]: of a server

    assert set(proxy.hosts) == {"llm.corp.example:443"}


def test_a_place_without_its_authority_is_refused(proxy: Proxy) -> None:
    with pytest.raises(ModelError, match="ca_file"):
        models_at(Place("Corp", URL, proxy=proxy.url))


def found_at(url: str, routes: Routes | None = None) -> list[str]:
    """Return the models of the server that a probe finds at `url`."""
    servers = local_servers([("", url)], 5, routes)
    return [model.id for server in servers for model in server.models]


def test_a_probe_goes_the_way_of_the_model_with_that_address(
    authority: Authority, proxy: Proxy
) -> None:
    models = config.parse(
        f'[models.work]\nprovider = "openai"\nbase_url = "{URL}"\n'
        f"ca_file = '{authority.certificate}'\nproxy = '{proxy.url}'\n"
    ).models
    routes = Routes(models.values())

    (server,) = local_servers([("", URL)], 5, routes)
    assert [model.id for model in server.models] == ["corp-large"]
    assert proxy.hosts == ["llm.corp.example:443"]

    kept = model_at(place_of_server(server), "corp-large").settings
    assert isinstance(kept, config.OpenAIModelConfig)
    assert (kept.ca_file, kept.proxy) == (str(authority.certificate), proxy.url)
    assert found_at("https://llm.corp.example:8443/v1", routes) == []


def test_a_probe_of_another_machine_goes_the_way_of_the_environment(
    authority: Authority, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    assert found_at(URL) == []  # its certificate is not trusted

    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    assert found_at(URL) == ["corp-large"]

    proxy.hosts.clear()
    monkeypatch.setenv("NO_PROXY", "llm.corp.example")
    assert found_at(URL) == []
    assert proxy.hosts == []


@pytest.mark.parametrize("name", ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"])
@pytest.mark.parametrize("secure", [True, False])
def test_this_machine_is_probed_and_asked_without_a_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, secure: bool
) -> None:
    here = Authority(tmp_path, "localhost") if secure else None
    with SSEServer(here.context if here else None) as server:
        server.json({"data": [{"id": "mine"}]}, path="/models")
        with Proxy(server.port) as proxy:
            monkeypatch.setenv(name, proxy.url)
            if here:
                monkeypatch.setenv("SSL_CERT_FILE", str(here.certificate))
            scheme = "https" if secure else "http"
            url = f"{scheme}://localhost:{server.port}/v1"

            assert found_at(url) == ["mine"]
            assert [model.id for model in models_at(Place("Mine", url))] == ["mine"]
            assert proxy.hosts == []
