// A chain as strict as today's networks: blocks of 36 million gas, one every so often whether anybody sends or not.
export default {
  networks: {
    node: {
      type: "edr-simulated",
      chainType: "l1",
      chainId: Number(process.env.SETOFF_CHAIN_ID),
      hardfork: "osaka",
      blockGasLimit: 36_000_000,
      transactionGasCap: 2 ** 24,
      mining: { auto: false, interval: Number(process.env.SETOFF_BLOCK_SECONDS) * 1000 },
      accounts: { mnemonic: process.env.SETOFF_MNEMONIC, count: 20, accountsBalance: String(10n ** 24n) },
    },
  },
};
