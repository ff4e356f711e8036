"""Programs to copy: whole, short, and run by the tests as they stand."""
