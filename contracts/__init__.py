"""The contracts in Vyper: vault, inbox, claims, court, judge, and the twins of the rules."""
