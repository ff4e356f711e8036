"""What the sub-commands of `setoff` do; each module has `configure(parser)` and `run(arguments)`."""
