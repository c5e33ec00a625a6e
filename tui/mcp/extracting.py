"""Takes the secrets out of a server's arguments, address, variables and headers.

Other clients keep them in the open, in any place of a command line. Each is replaced by
`${NAME}`, and its value is to be stored under that name, so what is put in again is
the text as it was. A word that is mistaken for a secret therefore does no harm.
"""

import base64
import re
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit, urlunsplit

_NAMES = (
    *("key", "token", "secret", "password", "passwd", "passphrase", "pwd", "bearer"),
    *("auth", "authorization", "credential", "credentials", "cookie", "pat"),
    *("signature", "sig"),
)
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

_LOGIN = re.compile(r"(://)([^/\s@\"'<>:$]*:?)([^/\s\"'<>]*)@")
# `--api-key=X`, `TOKEN=X`, `Authorization: Bearer X`, `"apiKey": "X"`, `?token=X`
_ASSIGNED = re.compile(
    r"([A-Za-z][\w.-]{0,80})\\?[\"']?\s{0,9}[:=]\s{0,9}\\?[\"']?", re.I
)
_VALUE = re.compile(r"(?:(?:Bearer|Basic|Token)\s+)?[^\s\"'&;,\\{}]+", re.I)
_SHAPES = re.compile(
    r"(?<![A-Za-z0-9_$-])(?:"
    r"(?:sk|pk|rk|gsk|xai|ghp|gho|ghu|ghs|ghr|github_pat|glpat|hf|npm|pypi|lin_api|"
    r"ntn|tvly|dop_v1|secret|xox[abeoprs]|figd)[-_][A-Za-z0-9_-]{16,}"
    r"|AKIA[A-Z0-9]{16}|AIza[\w-]{30,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"
    r"|(?<=Bearer )[^\s\"'$]{8,}|(?<=Basic )[^\s\"'$]{8,})"
)
# An argument that is nothing else: its value may have any sign.
_WHOLE = re.compile(
    r"((?:(?:-H|--?[\w-]+=)?([A-Za-z][\w-]*):\s*|-{0,2}([A-Za-z][\w.-]*)=))(\S.*)", re.S
)
_FLAG = re.compile(r"--?[A-Za-z][\w.-]*")
# Some services take a secret as a part of the path.
_SEGMENT = re.compile(r"(?=[^/]*\d)(?=[^/]*[A-Za-z])[A-Za-z0-9_-]{24,}")


def is_secret_name(name: str) -> bool:
    """Return whether a flag, variable, header or field of this name holds a secret."""
    parts = _PARTS.findall(name)
    return bool(parts) and parts[-1].lower().endswith(_NAMES)


class Extractor:
    """Takes the secrets of one server out."""

    def __init__(self, server: str, keys: dict[str, str]) -> None:
        """Put what is found into `keys`, by names that begin with the server's."""
        self._server = server
        self._keys = keys

    def put(self, what: str, value: str) -> str:
        """Keep a value that is called `what`; return the name of its variable."""
        base = re.sub(r"[^A-Z0-9]+", "_", f"MCP_{self._server}_{what}".upper())
        base = base.strip("_")
        name, number = base, 1
        while self._keys.get(name, value) != value:
            number += 1
            name = f"{base}_{number}"
        self._keys[name] = value
        return name

    def arguments(self, args: Sequence[str]) -> tuple[str, ...]:
        """Return arguments with references in place of secrets."""
        found: list[str] = []
        before = ""
        for arg in args:
            named = _FLAG.fullmatch(before) and is_secret_name(before)
            whole = _WHOLE.fullmatch(arg)
            if named and arg and not arg.startswith("-") and not _is_reference(arg):
                found.append(self._reference(before, arg))
            elif whole and self._is_one_secret(whole):
                what = whole[2] or whole[3]
                found.append(whole[1] + self._reference(what, whole[4]))
            else:
                found.append(self.text(arg))
            before = arg
        return tuple(found)

    @staticmethod
    def _is_one_secret(whole: re.Match[str]) -> bool:
        name, in_shell = whole[2] or whole[3], whole[3] and " " in whole[4]
        return is_secret_name(name) and not in_shell and not _is_reference(whole[4])

    def text(self, text: str) -> str:
        """Return a text with references in place of secrets."""

        def login(match: re.Match[str]) -> str:
            mark, user, word = match.groups()
            if not word or _is_reference(word):
                return match[0]
            return f"{mark}{user}{self._reference('password', word)}@"

        text = _LOGIN.sub(login, text)
        text = self._assigned(_LOGIN.sub(login, text))
        return _SHAPES.sub(lambda match: self._reference("token", match[0]), text)

    def _assigned(self, text: str) -> str:
        parts: list[str] = []
        done = 0
        for found in _ASSIGNED.finditer(text):
            if found.start() < done or not is_secret_name(found[1]):
                continue
            value = _VALUE.match(text, found.end())
            if value and not _is_reference(value[0]):
                parts += text[done : value.start()], self._reference(found[1], value[0])
                done = value.end()
        return "".join([*parts, text[done:]])

    def address(self, url: str) -> tuple[str, str]:
        """Return an address without secrets, and the name of its login or "".

        The login is the value of a header, `Authorization`.
        """
        try:
            parts = urlsplit(url)
            user, word = parts.username or "", parts.password or ""
        except ValueError:
            return self.text(url), ""
        login = ""
        if user or word:
            plain = f"{unquote(user)}:{unquote(word)}"
            coded = base64.b64encode(plain.encode()).decode()
            login = self.put("Authorization", f"Basic {coded}")
            parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
        segments = (
            self._reference("path", each) if _SEGMENT.fullmatch(each) else each
            for each in parts.path.split("/")
        )
        parts = parts._replace(path="/".join(segments))
        return self.text(urlunsplit(parts)), login

    def _reference(self, what: str, value: str) -> str:
        return f"${{{self.put(what, value)}}}"


def _is_reference(text: str) -> bool:
    return text.startswith("$") or "${" in text
