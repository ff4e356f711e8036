"""The demo: a market on a development chain, from real order flow to a judged lie and a withdrawal.

`sample` reads recorded order events, `traders` and `flow` turn them into signed records, `play` runs it with
processes of their own (`deploy/simulation/processes.py`), `console` tells what happens while it happens, and `summary`
reads the facts back from the chain.
"""
