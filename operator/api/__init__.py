"""What the operator shows to clients: HTTP and WebSocket, admission, views."""
