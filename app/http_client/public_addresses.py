"""Tells public IP addresses from private ones. Pure."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
# A public address, but in one cloud it leads a machine to the agent of its own host.
_HOST_AGENT = IPv4Address("168.63.129.16")
# Protocol assignments and 6to4 relays. Python counts some of these addresses as global, and some
# clouds serve metadata there.
_NOT_HOSTS = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"))


def is_public(address: str) -> bool:
    """Return whether an IP address is on the public Internet.

    address: as a resolver returns it; it may have a zone after %. An IPv6 address that contains an
    IPv4 address (mapped, 6to4, NAT64) is public only if that one is. Raises ValueError if the text
    is not an IP address.
    """
    found = ip_address(address)
    if isinstance(found, IPv4Address):
        return _is_public_v4(found)
    return _is_public_v6(found)


def _is_public_v4(address: IPv4Address) -> bool:
    if address == _HOST_AGENT or any(address in network for network in _NOT_HOSTS):
        return False
    return address.is_global and not address.is_multicast


def _is_public_v6(address: IPv6Address) -> bool:
    if address.ipv4_mapped is not None:
        return _is_public_v4(address.ipv4_mapped)
    if address in _NAT64:
        return _is_public_v4(IPv4Address(int(address) & 0xFFFFFFFF))
    if address.sixtofour is not None and not _is_public_v4(address.sixtofour):
        return False
    return address in _GLOBAL_UNICAST and address.is_global and address.scope_id is None
