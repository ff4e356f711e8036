"""Challenge games by script: who plays, who lies how, what goes wrong, and what has to come of it.

script      a scenario file (TOML), checked: network, parameters, actors, faults, what is expected
liars       histories that are false in a chosen place and consistent with their commitment
flow        batches on a chain, and the truth about them
node        what stands between an actor and its node: an outage, a censor
actors      players at the real court, honest and lying, each with an account of its own
court       a scenario of kind "court": real contracts, real machine, actors in threads, on anvil or any node
exchange    one of kind "exchange": operator and watchers as processes of their own, on anvil
ending      one in which the operator dies: it returns in time, or a liveness keeper ends the exchange
withdrawals what the traders do then: force their records, take out what is theirs
verdict     what is found on chain, against what was expected
report      for people and as JSON
"""
