"""Keys of a mnemonic are those that eth-account derives."""

from eth_account import Account

from setoff.deploy.devnet.anvil import ACCOUNTS, MNEMONIC, dev_keys


def test_keys_are_eth_accounts() -> None:
    Account.enable_unaudited_hdwallet_features()
    paths = [f"m/44'/60'/0'/0/{index}" for index in range(ACCOUNTS)]
    assert dev_keys() == tuple(bytes(Account.from_mnemonic(MNEMONIC, account_path=path).key) for path in paths)
