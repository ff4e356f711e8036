"""The dispute game as pure logic: game state in, moves out."""
