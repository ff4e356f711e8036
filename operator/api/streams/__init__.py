"""What happens, by market and account, over one WebSocket."""
