"""Where the histories of disputed epochs are on disk: a folder each, by the epoch's inputs and its start, so that no
reorg makes one false. `dispute/epoch_files.py` says what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from setoff.shared.config.deployment_file import Deployment
from setoff.watcher.settings import WatcherSettings
from setoff.watcher.store import EpochResult


def name_history(epoch_hash: bytes, start: bytes) -> str:
    """The name of an epoch's folder: of its batches, and the machine hash before them."""
    return f"{epoch_hash.hex()[:24]}-{start.hex()[:24]}"


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
        return self._folder / name_history(result.epoch_hash, result.start)

    def names(self) -> list[str]:
        """Of the folders that are there."""
        return [path.name for path in self._folder.glob("*-*") if path.is_dir()]

    def drop(self, result: EpochResult) -> None:
        """Forget an epoch's; what somebody has open of it stays readable until he closes it."""
        self.drop_named(self.folder(result).name)

    def drop_named(self, name: str) -> None:
        """The same, by the name of its folder."""
        folder = self._folder / name
        if folder.is_dir():
            for path in sorted(folder.iterdir()):  # "done" before most of what it speaks of
                path.unlink(missing_ok=True)
            folder.rmdir()

    def size(self) -> int:
        """Bytes of all of them."""
        return sum(path.stat().st_size for path in self._folder.glob("*/*") if path.is_file())
