"""Epochs with something in them, where it does not matter what: payments between two accounts."""

from tests.support.chains.exchange import Exchange

from setoff.deploy.simulation.sample_traffic import SampleTraffic


def post_payments(exchange: Exchange, epochs: int) -> Exchange:
    """Epochs of one batch each: two deposits, and then a transfer and a withdrawal at a time."""
    traffic = SampleTraffic(exchange.deployment.chain_id, exchange.deployment.vault_bytes)
    exchange.deposit(1, 1_000_000)
    exchange.deposit(2, 1_000_000)
    exchange.post(0, 2)
    for number in range(1, epochs):
        exchange.post(number, 0, [traffic.transfer(1, 2, 10 * number), traffic.withdraw(2, number)])
    return exchange
