"""Networks as a setting: addresses and networks, separated by commas."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network


class Networks:
    """The condition on such a setting."""

    @property
    def text(self) -> str:
        """As in "must be …"."""
        return "addresses or networks, as 10.0.0.0/8, separated by commas, or empty"

    def holds(self, value: str) -> bool:
        """Whether it can be read."""
        try:
            parse_networks(value)
        except ValueError:
            return False
        return True


def parse_networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """What it names. Raises ValueError."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
