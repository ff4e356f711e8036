"""The lab: whole disputes in a fast simulator, by the thousands, against every attack we know.

    setting    periods and amounts (a preset's, or drawn), blocks, how much fits into one
    machine    a machine of a few steps, its true histories, and false ones that differ in any place
    chain      the court's model in blocks: who sees what when, whose calls get in, who is censored
    parties    the honest player (the real strategy) and the attackers
    audit      what must hold after every call and at the end
    cases      the known attacks by name, and games drawn at random
    report     many games as one table

Nothing here is specific to the model: a test runs the same games on weakened rules and sees the audit catch them.
"""
