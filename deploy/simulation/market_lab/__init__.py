"""The market's laboratory: agents on the real machine, attackers among them, and what each attack pays.

terms      the market that is played, what a dollar and a lot are, what an attack may earn (dust)
exchange   the machine with its fast paths, a pen that signs for everybody, money that went in and out
view       what a trader can see of it
wealth     what everybody is worth at the true price
agents/    who trades, quotes, reports, cranks: objects with seeded chance that see a view and give records
play       agents take their turns while time passes
outcome    two plays side by side, with the attack and without: who gained, and from whom
scenarios/ the known attacks on the rules, by name
search/    an automatic attacker
report     all scenarios as one table
"""
