"""Headers of every page for people: it is shown nowhere else, tells nobody where it was, and uses no device."""

from __future__ import annotations

from typing import Final

PAGE_HEADERS: Final = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Beside its Content-Security-Policy, which says what it may load."""
