"""Running epochs again, in RQ workers or here."""
