"""The client: signs and sends records, and checks what the operator answers."""
