"""What the API shows, as JSON: records, fills, markets, books, accounts."""
