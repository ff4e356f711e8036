"""The oracle's feeder: prices of several sources made into one, signed, and sent to the operator or through L1."""
