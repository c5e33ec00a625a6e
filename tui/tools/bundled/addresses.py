"""Says which addresses of the network tools may connect to.

Numbers are understood in every spelling that the system's own functions take, since a
server on this machine can be reached by any of them: 127.1, 2130706433, 0x7f.1,
[::ffff:127.0.0.1]. A name is resolved once, all its addresses are checked, and the
connection is made to one of them, so that a second answer of the name server cannot
lead elsewhere.
"""

import ipaddress
import re
import socket
import unicodedata
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from tui.errors import ToolError
from tui.safe import safe

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_LONGEST = 4000
"""Characters of an address."""
_METADATA = frozenset(
    map(
        ipaddress.ip_address,
        (
            *("169.254.169.254", "169.254.170.2", "169.254.169.253", "fd00:ec2::254"),
            *("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd20:ce::254"),
        ),
    )
)
"""Where machines in a cloud get their credentials: never, whatever is configured."""
_PRIVATE = tuple(
    map(
        ipaddress.ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8"),
            *("169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24"),
            *("192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
            *("203.0.113.0/24", "224.0.0.0/3"),
            *("::/128", "::1/128", "100::/64", "2001::/23", "2001:db8::/32"),
            *("3fff::/20", "5f00::/16", "64:ff9b:1::/48", "fc00::/7", "fe80::/9"),
            *("ff00::/8",),
        ),
    )
)
"""What is not the internet (the IANA registries of special addresses); Python's own
`is_global` differs between versions, and is asked too."""
_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?")


class Target(NamedTuple):
    """A checked address of a page."""

    scheme: str
    host: str
    """In ASCII, without brackets."""
    port: int
    path: str
    """With the query, as it is sent."""

    @property
    def authority(self) -> str:
        """The host, with the port unless it is the usual one, as in `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The address without credentials and fragment."""
        return f"{self.scheme}://{self.authority}{self.path}"


def parse(url: str) -> Target:
    """Read an address strictly; user name and password are dropped.

    Raises `ToolError` for what is not an http or https address, or could be read in two
    ways.
    """
    url = url.strip()
    shown = safe(url, newlines=False)[:200]
    if len(url) > _LONGEST:
        raise ToolError(f"the address is longer than {_LONGEST} characters")
    if re.search(r"[\s\\\x00-\x20\x7f]", url):
        raise ToolError(f"{shown}: an address has no spaces or backslashes")
    if not re.match(r"https?://[^/]", url, re.IGNORECASE):
        raise ToolError(f"{shown} is not an http or https address")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ToolError(f"{shown}: {str(error).lower()}") from error
    if port == 0:
        raise ToolError(f"{shown}: there is no port 0")
    scheme = parts.scheme.lower()
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    if parts.query:
        path += "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~-._?[]")
    return Target(scheme, _host(host, shown), port or _PORTS[scheme], path)


def check_literal(target: Target, private: bool) -> None:
    """Raise `ToolError` if `target` is refused for what it says, without a look-up."""
    found = _number(target.host)
    if found is not None:
        _check(found, target.host, private)
    elif not private and _is_local_name(target.host):
        raise _refused(target.host, "a name of this machine or of its network")


def resolve(target: Target, private: bool) -> list[IPAddress]:
    """Return the addresses to connect to, all of them checked. Blocks.

    `private`: this machine and private networks are allowed too. Raises `ToolError`.
    """
    check_literal(target, private)
    if (number := _number(target.host)) is not None:
        return [number]
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ToolError(f"{target.host} is not found: {reason.lower()}") from error
    addresses = [ipaddress.ip_address(str(entry[4][0])) for entry in found]
    for address in addresses:
        _check(address, target.host, private)
    if not addresses:
        raise ToolError(f"{target.host} has no address")
    return list(dict.fromkeys(addresses))


def _host(host: str, shown: str) -> str:
    """Return a host as it is looked up: its other spellings are made one first."""
    if ":" in host:
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError:
            raise ToolError(f"{shown}: [{safe(host)}] is not an IPv6 address") from None
    # Full-width digits and the dots of other scripts are digits and dots to resolvers.
    name = unicodedata.normalize("NFKC", host).replace("\u3002", ".").lower()
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            raise ToolError(f"{shown}: this is not the name of a host") from None
    if len(name) > 253 or not _HOST.fullmatch(name):
        raise ToolError(f"{shown}: this is not the name of a host")
    return name


def _number(host: str) -> IPAddress | None:
    """Return the address that `host` spells, None if it is a name."""
    if ":" in host:
        address = ipaddress.IPv6Address(host)
        return address
    bare = host.rstrip(".")
    # A last part that begins with a digit is no name: all top-level domains have none.
    if not re.fullmatch(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", bare):
        return None
    try:
        return ipaddress.IPv4Address(socket.inet_aton(bare))
    except OSError:
        raise ToolError(f"{host} is not an address") from None


def _check(address: IPAddress, host: str, private: bool) -> None:
    for inner in _all_in(address):
        if inner in _METADATA or _ends_in_metadata(inner):
            raise _refused(host, "an address for credentials of a cloud")
        if inner.is_multicast or inner == ipaddress.IPv4Address("255.255.255.255"):
            raise _refused(host, "an address of many machines")
        if not private and _is_private(inner):
            raise _refused(host, f"{inner}, which is not a public address")


def _ends_in_metadata(address: IPAddress) -> bool:
    """Whether an IPv6 address may be translated to one, or is its twin (OpenStack)."""
    last = ipaddress.IPv4Address(address.packed[-4:])
    return address.version == 6 and last in _METADATA


def _refused(host: str, what: str) -> ToolError:
    hint = "; [tools] private_addresses allows it" if "public" in what else ""
    hint = "; [tools] private_addresses allows it" if "name of" in what else hint
    return ToolError(f"{host} is refused: it is {what}{hint}")


def _is_private(address: IPAddress) -> bool:
    if not address.is_global or address.is_reserved:
        return True
    return any(address in network for network in _PRIVATE)


def _all_in(address: IPAddress) -> list[IPAddress]:
    """Return the address, or the IPv4 addresses that packets to it may go to."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    data = address.packed
    address = ipaddress.IPv6Address(data)  # without a zone, which would make it unequal
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if data[:2] == b"\x20\x02":  # 6to4
        return [ipaddress.IPv4Address(data[2:6])]
    if data[:12] == b"\x00\x64\xff\x9b" + bytes(8):  # NAT64
        return [ipaddress.IPv4Address(data[12:])]
    if data[:12] == bytes(12) and data[12:] > b"\0\0\0\1":  # IPv4-compatible
        return [address, ipaddress.IPv4Address(data[12:])]
    if data[8:12] in (b"\0\0\x5e\xfe", b"\2\0\x5e\xfe"):  # ISATAP
        return [address, ipaddress.IPv4Address(data[12:])]
    return [address]


def _is_local_name(host: str) -> bool:
    name = host.rstrip(".")
    ends = (".localhost", ".local", ".internal", ".intranet", ".home.arpa", ".lan")
    return "." not in name or name.endswith(ends)
