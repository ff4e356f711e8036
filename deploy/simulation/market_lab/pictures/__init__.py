"""Stories of bad days, told by the exchange's own figures; `deploy/tools/market_pictures.py` draws them."""
