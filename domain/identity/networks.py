"""The networks that a token may come from: read from what people type, kept in CIDR notation."""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_interface, ip_network

from domain.problems import Problem

MOST = 20
SHOWN = 50  # characters of what somebody typed that a refusal repeats
SEPARATORS = re.compile(r"[\s,;]+")


def read_networks(typed: str) -> tuple[str, ...]:
    """The networks, each once, in the order in which they were typed; a single address is a network of one.

    typed: IPv4 and IPv6 in CIDR notation (RFC 4632, RFC 4291 §2.3), between blanks, commas or on lines of their own;
        empty for any network. Raises Problem at the field for what is none, for an address inside a network, and for
        more than 20.
    """
    pieces = [piece for piece in SEPARATORS.split(typed) if piece]
    if len(pieces) > MOST:
        raise Problem(f"Name at most {MOST} networks.", field="networks")
    return tuple(dict.fromkeys(str(_network(piece)) for piece in pieces))


def _network(piece: str) -> IPv4Network | IPv6Network:
    shown = piece if len(piece) <= SHOWN else f"{piece[:SHOWN]}…"
    try:
        whole = ip_interface(piece).network
    except ValueError:
        whole = None
    if whole is None or "%" in piece:  # an address with a zone is one on the link of a single machine
        raise Problem(
            f"“{shown}” is no network. Write 192.0.2.0/24, 2001:db8::/32 or a single address.", field="networks"
        )
    mapped = whole.network_address.ipv4_mapped if isinstance(whole, IPv6Network) else None
    if mapped is not None:  # who comes so is known by the IPv4 address inside
        raise Problem(f"Write “{shown}” as IPv4: {_plain(mapped, whole.prefixlen)}.", field="networks")
    try:
        return ip_network(piece)
    except ValueError:
        alone = piece.partition("/")[0]
        raise Problem(
            f"“{shown}” is an address inside a network. Write {whole} for the whole network, or {alone} for it alone.",
            field="networks",
        ) from None


def _plain(address: IPv4Address, prefix: int) -> str:
    return f"{address}/{max(prefix - 96, 0)}"
