# pragma version 0.4.3
"""
@title The state as the rules see it: the leaves that a step touches, typed
@license MIT
@notice A step names each leaf it touches by its place in the witness (0, 1, …, the order of first use) and computes its
        key; any other key, place, number or length of value reverts. Twin: `State` in `shared/state/store.py`.
@dev A step never touches one leaf at two places. Leaves of different kinds have different keys, and of one kind a step touches:
     accounts: one; or taker and maker (orders of one owner never trade with each other); payer and payee (the fetch
     compares them); an account and the backstop (step_takeover compares them, and no account that signs is the backstop); an account in liquidation and the one with the highest score (whose position is on
     the other side); orders: one at the cursor and its neighbours in a list without cycles, or the free slot of a new
     order and its level's last; of armed ones also the partner, which waits on a level of another side; requests: an account's own, where it has none, and the last of the list; parked records: the one at the end and the first, of which the second is taken only where
     there is one; levels: one, or the best of either side; bitmap words: of one tree one a depth, and below the
     branching point one more a depth, of a higher or lower index; markets: those of an account's positions, of which
     no two are in one market; also the backstop and the treasury, a master account; activities: the maker's owner's and the taker's, which are two where orders trade.
"""

from rules import phases
from state import keys
from state import leaves


struct Witness:
    keys: DynArray[uint256, phases.MAX_LEAVES]
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]


@internal
@pure
def _value(w: Witness, place: uint256, key: uint256, width: uint256) -> Bytes[leaves.ACCOUNT_BYTES]:
    """
    @return The value at `place`, which must be that of `key`: `width` bytes, or none for an absent leaf.
    """
    assert place < len(w.keys), "witness_leaves"
    assert w.keys[place] == key, "witness_key"
    data: Bytes[leaves.ACCOUNT_BYTES] = w.values[place]
    assert len(data) == width or len(data) == 0, "witness_value"
    return data


@internal
@pure
def check_count(w: Witness, count: uint256):
    """
    @notice Reverts unless the witness has exactly `count` leaves.
    """
    assert len(w.keys) == count and len(w.values) == count, "witness_leaves"


@internal
@pure
def account(w: Witness, place: uint256, account: uint256) -> leaves.Account:
    """
    @return Account leaf by id.
    """
    return leaves.decode_account(self._value(w, place, keys.account_key(account), leaves.ACCOUNT_BYTES))


@internal
@pure
def order(w: Witness, place: uint256, handle: uint256) -> leaves.Order:
    """
    @return Order leaf by handle.
    """
    return leaves.decode_order(self._value(w, place, keys.order_key(handle), leaves.ORDER_BYTES))


@internal
@pure
def level(w: Witness, place: uint256, market: uint256, side: uint256, tick: uint256) -> leaves.Level:
    """
    @return Level of one side of a market.
    """
    return leaves.decode_level(self._value(w, place, keys.level_key(market, side, tick), leaves.LEVEL_BYTES))


@internal
@pure
def bitmap(w: Witness, place: uint256, tree: uint256, depth: uint256, number: uint256) -> leaves.Bitmap:
    """
    @return The word of a tree (`keys.level_tree`, `keys.holder_tree`) at `depth` that covers `number`.
    """
    return leaves.decode_bitmap(self._value(w, place, keys.bitmap_key(tree, depth, number), leaves.BITMAP_BYTES))


@internal
@pure
def market(w: Witness, place: uint256, market: uint256) -> leaves.Market:
    """
    @return Market leaf by id.
    """
    return leaves.decode_market(self._value(w, place, keys.market_key(market), leaves.MARKET_BYTES))


@internal
@pure
def oracle(w: Witness, place: uint256, market: uint256) -> leaves.Oracle:
    """
    @return Latest reports on a market.
    """
    return leaves.decode_oracle(self._value(w, place, keys.oracle_key(market), leaves.ORACLE_BYTES))


@internal
@pure
def signers(w: Witness, place: uint256) -> leaves.Signers:
    """
    @return The set of oracle signers.
    """
    return leaves.decode_signers(self._value(w, place, keys.signers_key(), leaves.SIGNERS_BYTES))


@internal
@pure
def withdrawal(w: Witness, place: uint256, index: uint256) -> leaves.Withdrawal:
    """
    @return Withdrawal leaf by index.
    """
    return leaves.decode_withdrawal(self._value(w, place, keys.withdrawal_key(index), leaves.WITHDRAWAL_BYTES))


@internal
@pure
def agent(w: Witness, place: uint256, master: uint256, agent: uint256) -> leaves.Agent:
    """
    @return Agent `agent` of a master account.
    """
    return leaves.decode_agent(self._value(w, place, keys.agent_key(master, agent), leaves.AGENT_BYTES))


@internal
@pure
def parked(w: Witness, place: uint256, index: uint256) -> leaves.Parked:
    """
    @return Parked record by its number.
    """
    return leaves.decode_parked(self._value(w, place, keys.parked_key(index), leaves.PARKED_BYTES))


@internal
@pure
def request(w: Witness, place: uint256, account: uint256) -> leaves.Request:
    """
    @return What an account has asked of the backstop.
    """
    return leaves.decode_request(self._value(w, place, keys.request_key(account), leaves.REQUEST_BYTES))


@internal
@pure
def terms(w: Witness, place: uint256) -> leaves.Terms:
    """
    @return The exchange's terms.
    """
    return leaves.decode_terms(self._value(w, place, keys.terms_key(), leaves.TERMS_BYTES))


@internal
@pure
def activity(w: Witness, place: uint256, master: uint256) -> leaves.Activity:
    """
    @return Activity of a master account's owner.
    """
    return leaves.decode_activity(self._value(w, place, keys.activity_key(master), leaves.ACTIVITY_BYTES))
