"""The top layer: command line, contract deployment, devnet, simulation and tools."""
