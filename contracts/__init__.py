"""The contracts in Vyper: vault, queue, inbox, court, judge, receipts, and the twins of the rules."""
