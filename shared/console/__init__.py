"""The web console: a page for traders, operators and those who watch, served by operators and watchers."""
