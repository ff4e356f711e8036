"""The gateway: an exchange of ours, in the shape of Hyperliquid's API, on a trader's own machine."""
