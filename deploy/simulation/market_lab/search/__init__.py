"""An automatic attacker: sequences of moves of colluding accounts, bred for profit, tried on copies of one state."""
