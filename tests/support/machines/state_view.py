"""What a machine's state says, leaf by leaf, decoded."""

from setoff.shared.machine.machine import Machine
from setoff.shared.rules.margin import compute_value
from setoff.shared.state import keys, leaves
from setoff.shared.state.leaves import Account, Agent, Level, Market, Order, Position, Request, Withdrawal


class StateView:
    """Of whoever has a `machine`, whose state is read."""

    machine: Machine

    def value(self, key: int) -> bytes:
        self.machine.state.commit()
        return self.machine.state.tree.get(key)

    def account(self, account: int) -> Account:
        return leaves.decode_account(self.value(keys.account_key(account)))

    def position(self, account: int, market: int = 1) -> Position:
        """The position in `market`, empty if there is none."""
        return next((p for p in self.account(account).positions if p.market == market), Position())

    def market(self, market: int = 1) -> Market:
        return leaves.decode_market(self.value(keys.market_key(market)))

    def resting(self, account: int, order_slot: int) -> Order:
        return leaves.decode_order(self.value(keys.order_key(keys.order_handle(account, order_slot))))

    def level(self, side: int, tick: int, market: int = 1) -> Level:
        return leaves.decode_level(self.value(keys.level_key(market, side, tick)))

    def equity(self, account: int) -> int:
        """Collateral and the positions at their marks; funding due since they were last touched is not in it."""
        leaf = self.account(account)
        values = [
            compute_value(p.size, self.market(p.market).mark, self.market(p.market)) for p in leaf.positions if p.size
        ]
        return leaf.collateral + sum(values)

    def agent(self, master: int, number: int) -> Agent:
        return leaves.decode_agent(self.value(keys.agent_key(master, number)))

    def withdrawal(self, index: int) -> Withdrawal:
        return leaves.decode_withdrawal(self.value(keys.withdrawal_key(index)))

    def request(self, account: int) -> Request:
        return leaves.decode_request(self.value(keys.request_key(account)))

    def queue(self, side: int, tick: int, market: int = 1) -> list[tuple[int, int, int]]:
        """(account, order_slot, size) of the orders at a level, oldest first."""
        found = []
        handle = self.level(side, tick, market).head
        while handle:
            account, order_slot = keys.handle_account(handle), keys.handle_order_slot(handle)
            order = self.resting(account, order_slot)
            found.append((account, order_slot, order.size))
            handle = order.next
        return found

    def bits(self, side: int, depth: int, tick: int, market: int = 1) -> set[int]:
        """Bits set in the word at `depth` that covers `tick`."""
        word = leaves.decode_bitmap(self.value(keys.bitmap_key(keys.level_tree(market, side), depth, tick))).word
        return {bit for bit in range(256) if word >> bit & 1}
