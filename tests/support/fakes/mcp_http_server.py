"""A real MCP server on HTTP, by the SDK: `python mcp_http_server.py [auth]`.

Prints its address. With `auth` it wants OAuth: its page for a login sends the browser
on at once, as if the user had agreed.
"""

import asyncio
import os
import secrets
import socket
import sys
import time
from typing import Any

import uvicorn
from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    RefreshToken,
    construct_redirect_uri,
)
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions
from mcp.server.mcpserver import Context, MCPServer
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response


class Provider:
    """Gives tokens, valid for an hour, to whoever asks."""

    def __init__(self) -> None:
        self.clients: dict[str, OAuthClientInformationFull] = {}
        self.codes: dict[str, AuthorizationCode] = {}
        self.tokens: dict[str, AccessToken] = {}
        self.refreshes: dict[str, RefreshToken] = {}

    async def get_client(self, client_id: str) -> OAuthClientInformationFull | None:
        return self.clients.get(client_id)

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        self.clients[str(client_info.client_id)] = client_info

    async def authorize(
        self, client: OAuthClientInformationFull, params: AuthorizationParams
    ) -> str:
        code = AuthorizationCode(
            code=secrets.token_urlsafe(32),
            scopes=params.scopes or [],
            expires_at=time.time() + 60,
            client_id=str(client.client_id),
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly,
            resource=params.resource,
        )
        self.codes[code.code] = code
        return construct_redirect_uri(
            str(params.redirect_uri), code=code.code, state=params.state
        )

    async def load_authorization_code(
        self, client: Any, authorization_code: str
    ) -> AuthorizationCode | None:
        return self.codes.get(authorization_code)

    def _new(self, client_id: str, resource: str | None) -> OAuthToken:
        access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self.tokens[access] = AccessToken(
            token=access, client_id=client_id, scopes=[], resource=resource
        )
        self.refreshes[refresh] = RefreshToken(
            token=refresh, client_id=client_id, scopes=[], resource=resource
        )
        return OAuthToken(access_token=access, refresh_token=refresh, expires_in=3600)

    async def exchange_authorization_code(
        self, client: Any, authorization_code: AuthorizationCode
    ) -> OAuthToken:
        del self.codes[authorization_code.code]
        return self._new(str(client.client_id), authorization_code.resource)

    async def load_refresh_token(
        self, client: Any, refresh_token: str
    ) -> RefreshToken | None:
        return self.refreshes.get(refresh_token)

    async def exchange_refresh_token(
        self, client: Any, refresh_token: RefreshToken, scopes: list[str]
    ) -> OAuthToken:
        return self._new(str(client.client_id), refresh_token.resource)

    async def load_access_token(self, token: str) -> AccessToken | None:
        return self.tokens.get(token)

    async def revoke_token(self, token: Any) -> None:
        self.tokens.pop(token.token, None)


def main() -> None:
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", int(os.environ.get("PORT", "0"))))
        port = listening.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    options: dict[str, Any] = {}
    provider = Provider()
    if "auth" in sys.argv:
        options["auth_server_provider"] = provider
        options["auth"] = AuthSettings.model_validate(
            {
                "issuer_url": address,
                "resource_server_url": f"{address}/mcp",
                "client_registration_options": ClientRegistrationOptions(enabled=True),
                "validate_token_resource": False,
            }
        )
    server = MCPServer("web", log_level="ERROR", **options)

    @server.tool()
    async def headers(context: Context[Any, Any], name: str) -> str:
        """Return a header of the request."""
        request = context.request_context.request
        return str(request.headers.get(name)) if request else "no request"

    @server.tool()
    async def steps(context: Context[Any, Any], count: int) -> str:
        """Report progress."""
        for step in range(count):
            await context.report_progress(step + 1, count, f"step {step + 1}")
        return "done"

    @server.tool()
    async def grow() -> str:
        """Add a tool."""

        @server.tool()
        def grown() -> str:
            """Was added."""
            return "grown"

        return "added"

    @server.tool()
    async def sleep(seconds: float) -> str:
        """Sleep."""
        await asyncio.sleep(seconds)
        return "slept"

    @server.prompt()
    def greet(who: str) -> str:
        """Greet somebody."""
        return f"Say hello to {who}."

    @server.resource("note://one", mime_type="text/plain")
    def note() -> str:
        """A note."""
        return "the note\x1b[31m"

    @server.custom_route("/away", methods=["GET", "POST"])
    async def away(request: Request) -> Response:
        return RedirectResponse("http://127.0.0.2:9/mcp", 307)

    @server.custom_route("/large", methods=["GET", "POST"])
    async def large(request: Request) -> Response:
        return JSONResponse({"x": "y" * (20 << 20)})

    app = server.streamable_http_app()
    config = uvicorn.Config(app, "127.0.0.1", port, log_level="error")
    running = uvicorn.Server(config)

    async def serve() -> None:
        task = asyncio.create_task(running.serve())
        while not running.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        print(address, flush=True)
        await task

    asyncio.run(serve())


if __name__ == "__main__":
    main()
