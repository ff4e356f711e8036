"""One pen for everybody: the sample traffic's keys, with signatures remembered, so that a record is signed once."""

from __future__ import annotations

from copy import copy
from functools import lru_cache
from typing import Self

from coincurve import PrivateKey

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.codec import eip712, signatures

_get_key = lru_cache(1024)(PrivateKey)


@lru_cache(1 << 16)
def _sign(domain: bytes, body: bytes, private_key: bytes) -> bytes:
    return body + signatures.sign(eip712.digest(domain, body), _get_key(private_key))


class Pen(SampleTraffic):
    """Signs for every account and oracle signer; a copy goes on with nonces of its own."""

    def sign(self, body: bytes, private_key: bytes) -> bytes:
        """The 124-byte record of a 60-byte body."""
        return _sign(self.domain, body, private_key)

    def copy(self) -> Self:
        """A pen that has given out the same nonces."""
        twin = copy(self)
        twin._nonces = dict(self._nonces)
        twin._sessions = dict(self._sessions)
        twin._order_slots = dict(self._order_slots)
        return twin
