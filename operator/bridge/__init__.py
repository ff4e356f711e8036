"""The sequencer as the API has it: in the same process, or over a line to the sequencer's own."""
