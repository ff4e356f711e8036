"""The top layer: command line, devnet, demo, contract deployment and scenarios."""
