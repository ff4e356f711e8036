"""Where the histories of disputed epochs are on disk: a folder each, by the epoch's inputs and its start, so that no
reorg makes one false. `dispute/epoch_files.py` says what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from setoff.shared.config.deployment_file import Deployment
from setoff.watcher.settings import WatcherSettings
from setoff.watcher.store import EpochResult


class Histories:
    """All of one deployment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def of(cls, settings: WatcherSettings, deployment: Deployment) -> Self:
        """Those that the settings say."""
        return cls(settings.evidence_dir / deployment.file_name)

    def folder(self, result: EpochResult) -> Path:
        """Of an executed epoch, there or not."""
        return self._folder / f"{result.epoch_hash.hex()[:24]}-{result.start.hex()[:24]}"

    def drop(self, result: EpochResult) -> None:
        """Forget an epoch's; what somebody has open of it stays readable until he closes it."""
        folder = self.folder(result)
        if folder.is_dir():
            for path in sorted(folder.iterdir()):  # "done" before most of what it speaks of
                path.unlink(missing_ok=True)
            folder.rmdir()

    def size(self) -> int:
        """Bytes of all of them."""
        return sum(path.stat().st_size for path in self._folder.glob("*/*") if path.is_file())
