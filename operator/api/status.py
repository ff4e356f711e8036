"""What a client has to know before it signs, and whether the exchange is there for it."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

from aiohttp import web

from setoff.operator.api.admission import Admission
from setoff.operator.api.reader import Reader
from setoff.operator.api.routes import Handlers
from setoff.operator.api.submit import MAX_BULK
from setoff.operator.api.views import market_views
from setoff.operator.api.views.record_views import MS
from setoff.operator.api.views.scales import Scales
from setoff.operator.bridge.desk import Desk
from setoff.operator.sequencer.exchange import Exchange
from setoff.operator.sequencer.sequencer import Status, name_status
from setoff.shared.codec import eip712, records
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.machine.batch import MAX_INPUTS
from setoff.shared.rules import phases
from setoff.shared.rules.nonces import MAX_NONCE_JUMP, NONCE_WINDOW
from setoff.shared.state import keys, leaves
from setoff.shared.wire.refusals import show_error


class StatusHandlers:
    """Shows one deployment and its desk."""

    def __init__(
        self, desk: Desk, reader: Reader, admission: Admission, deployment: Deployment, scales: Scales
    ) -> None:
        self._desk = desk
        self._reader = reader
        self._admission = admission
        self._deployment = deployment
        self._scales = scales

    def handlers(self) -> Handlers:
        """By operation."""
        return {
            "getInfo": self.get_info,
            "getTime": self.get_time,
            "getStatus": self.get_status,
            "getHealth": self.get_health,
        }

    async def get_time(self, _: web.Request) -> web.Response:
        """Clocks."""
        return web.json_response({"time_ms": time.time_ns() // 10**6, "l1_time_ms": self._desk.l1_time * MS})

    async def get_info(self, request: web.Request) -> web.Response:
        """What a client has to know before it signs."""
        return await self._reader.show(request, "info", self._show_info)

    def _show_info(self, exchange: Exchange) -> dict[str, Any]:
        deployment = self._deployment
        return {
            "name": eip712.NAME,
            "version": eip712.VERSION,
            "chain_id": deployment.chain_id,
            "vault": deployment.vault,
            "token": deployment.token,
            "queue": deployment.queue,
            "receipts": deployment.receipts,
            "block": deployment.block,
            "block_hash": deployment.block_hash,
            "domain": "0x" + deployment.domain.hex(),
            "types": [kind.type_string for kind in records.SIGNED.values()],
            "epoch_batches": deployment.epoch_batches,
            "limits": {
                "least_deposit": str(deployment.least_deposit),
                "backstop_delay": deployment.backstop_delay,
                "batch_inputs": MAX_INPUTS,
                "bulk_records": MAX_BULK,
                "bulk_legs": phases.MAX_LEG_PAGES * records.LEGS_PER_PAGE,
                "max_sub": keys.MAX_SUB,
                "max_agent": keys.MAX_AGENT,
                "nonce_window": NONCE_WINDOW,
                "max_nonce_jump": MAX_NONCE_JUMP,
                "crank_interval": phases.SAMPLE_INTERVAL,
                "max_order_slot": keys.MAX_ORDER_SLOT,
                "max_tick": keys.MAX_TICK,
                "max_order_size": str(phases.MAX_ORDER_SIZE),
                "max_position": str(records.MAX_POSITION),
                "max_positions": leaves.MAX_POSITIONS,
                "max_matches": phases.MAX_MATCHES,
            },
            "collateral": dataclasses.asdict(deployment.names.collateral),
            "markets": market_views.show_markets(self._scales, exchange),
            "terms": market_views.show_terms(exchange),
        }

    async def get_status(self, _: web.Request) -> web.Response:
        """Where the sequencer is. Answers in every state."""
        desk = self._desk
        if desk.status is Status.READY and not desk.is_fresh:
            await desk.refresh()
        exchange, obstacle = desk.exchange, desk.obstacle()
        return web.json_response(
            {
                "status": name_status(desk.status, obstacle),
                "obstacle": None if obstacle is None else show_error(obstacle),
                "machine": "0x" + exchange.machine.hash().hex(),
                "records": exchange.cursor.records,
                "batch": exchange.cursor.number,
                "open_inputs": exchange.inputs,
                "messages": exchange.cursor.messages,
                "commit": desk.commit,
                "time": exchange.machine.regs.time,
                "time_ms": exchange.machine.regs.time * MS,
                "l1_time": desk.l1_time,
                "l1_time_ms": desk.l1_time * MS,
                "waiting": self._admission.waiting,
                "unposted": desk.unposted,
                "paced_until": desk.paced_until,
                "accounts": exchange.machine.regs.accounts,
                "withdrawals": exchange.machine.regs.withdrawals,
                "owed": str(exchange.machine.regs.owed),
                "winding_since": exchange.machine.regs.winding_since,
            }
        )

    async def get_health(self, _: web.Request) -> web.Response:
        """200 if records are taken now, 503 with the reason if not."""
        obstacle = self._desk.obstacle()
        if obstacle is not None:
            raise obstacle
        return web.json_response({"status": "ready"})
