"""The demo: a market on a development chain, from real order flow to a judged lie and a withdrawal.

`sample` reads recorded order events, `traders` and `flow` turn them into signed records, `cast` starts the processes,
`play` is the plot, `console` tells it while it happens, and `summary` reads the facts back from the chain.
"""
